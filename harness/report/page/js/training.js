// Training curves: validation score and loss side by side, drawn anew for each choice and width.
bench.section("training", (root, tasks) => {
  const { make, svg, plot, table } = bench;
  const [task, axis] = [root.querySelector("#training-task"), root.querySelector("#training-axis")];
  const [charts, names] = [root.querySelector("#training-charts"), root.querySelector("#training-models")];
  const [readout, below] = [root.querySelector("#training-readout"), root.querySelector("#training-table")];
  const panels = [["score", 2], ["loss", 1]].map(([name, place]) => [name, place, charts.querySelector(`#training-${name}`)]);
  const chosen = new Set(); // titles of the models that stand out; none: all do alike

  const styles = (models) => {
    const seen = {};
    return models.map((model) => {
      const kind = plot.kind(model.architecture);
      seen[kind] = (seen[kind] ?? -1) + 1;
      return `${kind} dash-${seen[kind] % 4}`;
    });
  };
  const number = (value, digits) => (value === null ? "–" : value.toFixed(digits));
  const loss = (value) => (value === null ? "–" : String(Number(value.toPrecision(3))));
  const kept = (seed) => seed.history.find(([step]) => step === seed.kept);
  const told = (model, seed, metric) => {
    const [step, itsLoss, score] = kept(seed);
    return `${model.title}, seed ${seed.seed}: kept step ${step} of ${seed.steps}, validation ${number(score, 2)} ${metric}, `
      + `loss ${loss(itsLoss)}; test ${number(seed.score, 2)}`;
  };

  const panel = ([name, place, box], data, share) => {
    const width = Math.max(300, box.clientWidth);
    const [left, right, top, foot, height] = [68, width - 24, 12, 312, 360];
    const points = data.models.flatMap((model) => model.seeds.flatMap((seed) => seed.history));
    const values = points.map((point) => point[place]).filter((value) => value !== null);
    if (!values.length) {
      box.replaceChildren(make("p", { class: "note" }, `No ${name} was recorded.`));
      return;
    }
    const most = share ? 100 : Math.max(...data.models.map((model) => model.steps));
    const x = (model, step) => left + ((share ? (100 * step) / model.steps : step) / most) * (right - left);
    const wide = name === "loss" && Math.min(...values) > 0 && Math.max(...values) > 20 * Math.min(...values);
    const y = wide ? plot.log(values, foot, top) : name === "loss" ? plot.linear(values, foot, top, 0, 0) : plot.linear(values, foot, top);
    const across = plot.fitting(plot.round(0, most, 6).map((value) => [left + (value / most) * (right - left), share ? `${value} %` : String(value)]));
    const up = (wide ? plot.powers(y.low, y.high) : plot.round(y.low, y.high, 6)).map((value) => [y.at(value), String(value)]);
    const path = (model, history) => {
      const known = history.filter((point) => point[place] !== null);
      return known.map((point, turn) => `${turn ? "L" : "M"}${x(model, point[0]).toFixed(1)} ${y.at(point[place]).toFixed(1)}`).join("");
    };
    const say = (text) => { readout.textContent = text; };
    const kinds = styles(data.models);
    const lines = data.models.map((model, turn) => svg("g", {
      class: `curve ${kinds[turn]}${chosen.size && !chosen.has(model.title) ? " aside" : ""}`,
    },
      model.seeds.length > 1 ? model.seeds.map((seed) => plot.read(
        svg("path", { class: "seed", d: path(model, seed.history) }), `${model.title}, seed ${seed.seed}`, say)) : [],
      plot.read(svg("path", { class: "line", d: path(model, model.mean) }),
        model.seeds.length > 1 ? `${model.title}, mean of ${model.seeds.length} seeds` : `${model.title}, seed ${model.seeds[0].seed}`, say)));
    const marks = data.models.flatMap((model, turn) => model.seeds.filter((seed) => kept(seed) && kept(seed)[place] !== null).map((seed) => {
      const text = told(model, seed, data.metric);
      const [step, ...rest] = kept(seed);
      return plot.read(svg("g", {
        class: `point on-front ${kinds[turn]}${chosen.size && !chosen.has(model.title) ? " aside" : ""}`,
        transform: `translate(${x(model, step).toFixed(1)} ${y.at(rest[place - 1]).toFixed(1)})`,
        ...(name === "score" ? { tabindex: 0, role: "img", "aria-label": text } : { "aria-hidden": "true" }),
      }, plot.shape(plot.kind(model.architecture))), text, say);
    }));
    const yTitle = name === "loss" ? `training loss${wide ? " (logarithmic)" : ""}` : `validation ${data.metric}`;
    box.replaceChildren(plot.frame({ width, height, left, right, top, foot }, {
      label: `${yTitle} of ${data.title} in the course of training`, xTitle: share ? "share of the training" : "step", yTitle, across, up,
    }, lines, marks));
  };

  const draw = () => {
    const data = tasks[task.value];
    for (const one of panels) panel(one, data, axis.value === "share");
  };
  const rows = (data) => data.models.flatMap((model) => model.seeds.map((seed) => {
    const [step, itsLoss, score] = kept(seed) ?? [null, null, null];
    return [model.title, String(seed.seed), String(seed.steps), step === null ? "–" : String(step), number(score, 2), loss(itsLoss), number(seed.score, 2)];
  }));
  const choose = () => {
    const data = tasks[task.value];
    chosen.clear();
    readout.textContent = "Point at a mark or a line, or go to a mark with the Tab key, to read it here.";
    const kinds = styles(data.models);
    names.replaceChildren(...data.models.map((model, turn) => {
      const sample = svg("svg", { viewBox: "0 0 34 16", width: 34, height: 16, "aria-hidden": "true" },
        svg("g", { class: `curve ${kinds[turn]}` }, svg("path", { class: "line", d: "M1 8H33" })),
        svg("g", { class: `point on-front ${kinds[turn]}`, transform: "translate(17 8)" }, plot.shape(plot.kind(model.architecture))));
      const button = make("button", { type: "button", "aria-pressed": "false" }, sample, ` ${model.title}`);
      button.addEventListener("click", () => {
        if (!chosen.delete(model.title)) chosen.add(model.title);
        button.setAttribute("aria-pressed", chosen.has(model.title));
        draw();
      });
      return button;
    }));
    below.replaceChildren(table(
      ["model", "seed", "steps", "kept step", `validation ${data.metric} there`, "loss there", "test"], rows(data)));
    draw();
  };
  task.addEventListener("change", choose);
  axis.addEventListener("change", draw);
  choose();
  plot.fit(charts, draw);
});

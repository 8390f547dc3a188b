// Score against cost: one chart, drawn anew for each choice and width.
bench.section("cost", (root, data) => {
  const { make, svg, plot: axes, table } = bench;
  const { kind, shape } = axes;
  const [plots, costs] = [root.querySelector("#cost-plot"), root.querySelector("#cost-axis")];
  const [chart, below] = [root.querySelector("#cost-chart"), root.querySelector("#cost-table")];
  const readout = make("p", { class: "readout note" });
  const told = ([row, , , cost, score, front], plot, axis) =>
    `${data.rows[row][0]}: ${score} ${plot.axis}, ${cost} ${axis.title}${front ? ", on the front" : ""}`;

  const point = (one, x, y, plot, axis) => {
    const name = kind(data.rows[one[0]][1]);
    const text = told(one, plot, axis);
    return axes.read(svg("g", {
      class: `point ${name}${one[5] ? " on-front" : ""}`, transform: `translate(${x} ${y})`, tabindex: 0, role: "img",
      "aria-label": text,
    }, shape(name)), text, (said) => { readout.textContent = said; });
  };

  // Names beside the points where there is room, those of the front first.
  const names = (points, front, x, y, width) => {
    const taken = points.map((one) => [x.at(one[1]) - 7, y.at(one[2]) - 7, 14, 14]);
    for (let place = 1; place < front.length; place += 1) { // its line: level, then up
      const [[from, low], [to, high]] = [front[place - 1], front[place]];
      taken.push([from, low - 1, to - from, 2], [to - 1, high, 2, low - high]);
    }
    const free = ([left, top, wide, high]) => left > 50 && left + wide < width
      && !taken.some(([l, t, w, h]) => left < l + w && l < left + wide && top < t + h && t < top + high);
    return [...points].sort((one, other) => other[5] - one[5]).flatMap((one) => {
      const text = data.rows[one[0]][0];
      const [wide, at, up] = [text.length * 6.6, x.at(one[1]), y.at(one[2])];
      const spots = [[at + 9, up - 7], [at - 9 - wide, up - 7], [at - wide / 2, up - 23], [at - wide / 2, up + 9]];
      const spot = spots.map(([left, top]) => [left, top, wide, 14]).find(free);
      if (!spot) return [];
      taken.push(spot);
      return [svg("text", { x: spot[0], y: spot[1] + 11, "aria-hidden": "true" }, text)];
    });
  };

  const draw = () => {
    const plot = data.plots[plots.value];
    const axis = data.costs[costs.value];
    const points = plot.points[costs.value].filter((one) => one[1] > 0);
    readout.textContent = "Point at a mark, or go to it with the Tab key, to read it here.";
    if (!points.length) {
      chart.replaceChildren(make("p", {}, "No model has both a score and this cost."));
      below.replaceChildren();
      return;
    }
    const width = Math.max(300, chart.clientWidth);
    const [left, right, top, foot, height] = [48, width - 12, 12, 372, 420];
    const x = axes.log(points.map((one) => one[1]), left, right);
    const y = axes.linear(points.map((one) => one[2]), foot, top);
    const across = axes.fitting(axis.ticks.filter(([value]) => x.holds(value)).map(([value, text]) => [x.at(value), text]));
    const up = axes.round(y.low, y.high, 6).map((value) => [y.at(value), String(value)]);
    const front = points.filter((one) => one[5]).map((one) => [x.at(one[1]), y.at(one[2])]);
    const path = front.map(([a, b], place) => (place ? `H${a}V${b}` : `M${a} ${b}`)).join("");
    const trivial = plot.trivial !== null && plot.trivial > y.low && plot.trivial < y.high ? y.at(plot.trivial) : null;
    chart.replaceChildren(
      axes.frame({ width, height, left, right, top, foot }, {
        label: `${plot.axis} of ${plot.title} against ${axis.title}`, xTitle: `${axis.title} (logarithmic)`, yTitle: plot.axis, across, up,
      },
        trivial === null ? null : svg("g", {},
          svg("line", { class: "trivial", x1: left, x2: right, y1: trivial, y2: trivial }),
          svg("text", { x: right - 2, y: trivial - 4, "text-anchor": "end" }, "trivial answer")),
        svg("path", { class: "front", d: path }),
        points.map((one) => point(one, x.at(one[1]), y.at(one[2]), plot, axis)),
        names(points, front, x, y, width)),
      legend(points), readout);
    below.replaceChildren(table(
      ["model", "architecture", axis.title, plot.axis, "front"],
      points.map(([row, , , cost, score, best]) => [...data.rows[row], cost, score, best ? "yes" : ""])));
  };

  const legend = (points) => {
    const found = [...new Set(points.map((one) => kind(data.rows[one[0]][1])))].sort();
    const mark = (name) => svg("svg", { viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" },
      svg("g", { class: `point ${name}` }, shape(name)));
    return make("p", { class: "legend note" }, found.map((name) => make("span", {}, mark(name), ` ${name}`)), "filled: on the front");
  };

  root.querySelector("details").open = matchMedia("(min-width: 80rem)").matches; // beside the chart, where there is room
  for (const select of [plots, costs]) select.addEventListener("change", draw);
  axes.fit(chart, draw);
});

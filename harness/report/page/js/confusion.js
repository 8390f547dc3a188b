// One model's confusion matrix on one task.
bench.section("confusion", (root, tasks) => {
  const { make, options } = bench;
  const [task, model] = [root.querySelector("#confusion-task"), root.querySelector("#confusion-model")];
  const [note, body] = [root.querySelector("#confusion-note"), root.querySelector("#confusion-table")];

  const draw = () => {
    const { labels, models } = tasks[task.value];
    const found = models.find((one) => one.title === model.value);
    const counts = labels.map(() => labels.map(() => 0));
    for (const [line, place, count] of found.counts) counts[line][place] = count;
    const totals = counts.map((line) => line.reduce((sum, count) => sum + count, 0));
    const all = totals.reduce((sum, count) => sum + count, 0);
    const cell = (count, line, place) => {
      const share = totals[line] ? count / totals[line] : 0;
      const told = `right: ${labels[line]}, said: ${labels[place]}: ${count} (${(100 * share).toFixed(1)} %)`;
      return make("td", { "data-heat": Math.round(share * 8), class: line === place ? "diagonal" : null, title: told }, String(count));
    };
    note.textContent = `${found.seeds} ${found.seeds === 1 ? "seed" : "seeds"}, ${all} predictions, ${found.right} right`;
    body.replaceChildren(make("table", { class: `matrix heat sortable${labels.length > 6 ? " many" : ""}` },
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "right ↓ said →"),
        [...labels, "all"].map((label) => make("th", { scope: "col" }, label)))),
      make("tbody", {}, counts.map((line, place) => make("tr", {}, make("th", { scope: "row" }, labels[place]),
        line.map((count, other) => cell(count, place, other)), make("td", {}, String(totals[place])))))));
  };
  const choose = () => {
    options(model, tasks[task.value].models.map((one) => one.title));
    draw();
  };
  task.addEventListener("change", choose);
  model.addEventListener("change", draw);
  choose();
});

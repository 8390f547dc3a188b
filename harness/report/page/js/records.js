// The dialog behind each number of the main table.
bench.section("scores", (root, data) => {
  const { make, table } = bench;
  const dialog = document.getElementById("records");
  const heads = ["seed", "status", "score", "training", "peak memory", "trained", "record"];

  const box = (label, child) => make("div", { class: "box", tabindex: 0, role: "region", "aria-label": label }, child);
  const seed = ([number, status, score, training, memory, trained, id, address]) =>
    [number, status, score, training, memory, trained, make("a", { href: address }, id)];
  const pairs = (facts) => make("dl", {}, facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  const open = (title, ...content) => {
    const close = make("button", { class: "close", type: "button" }, "Close");
    close.addEventListener("click", () => dialog.close());
    dialog.replaceChildren(
      close,
      make("h2", { id: "records-title" }, title),
      ...content.flat(),
    );
    dialog.showModal();
    dialog.scrollTop = 0;
  };
  const showCell = (cell) => open(
    cell.title,
    pairs(cell.facts),
    make("h3", {}, "Records"),
    box("Records", table(heads, cell.seeds.map(seed))),
    cell.metrics.length ? [make("h3", {}, "Metrics on test, mean over seeds"), pairs(cell.metrics)] : [],
    cell.recipes.length ? make("h3", {}, "Recipe") : [],
    cell.recipes.map((recipe) => make("p", { class: "note" }, recipe)),
  );
  // All that stands behind an average or a cost.
  const showRow = (row) => open(row.title, box("Records", table(["task", ...heads], row.cells.flatMap((number) => {
    const cell = data.cells[number];
    return cell.seeds.map((one) => [cell.task, ...seed(one)]);
  }))));
  root.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-cell], a[data-row]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.cell === undefined) showRow(data.rows[Number(link.dataset.row)]);
    else showCell(data.cells[Number(link.dataset.cell)]);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
});

// The dialog behind each number of the main table.
bench.section("scores", (root, data) => {
  const { make, table } = bench;
  const dialog = document.getElementById("records");
  const heads = ["seed", "status", "score", "training", "peak memory", "trained", "record"];

  const box = (label, child) => make("div", { class: "box", tabindex: 0, role: "region", "aria-label": label }, child);
  const seed = ([number, status, score, training, memory, trained, id, address]) =>
    [number, status, score, training, memory, trained, make("a", { href: address }, id)];
  const show = (cell) => {
    const facts = cell.facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
    const close = make("button", { class: "close", type: "button" }, "Close");
    close.addEventListener("click", () => dialog.close());
    dialog.replaceChildren(
      close,
      make("h2", { id: "records-title" }, cell.title),
      make("dl", {}, facts),
      make("h3", {}, "Records"),
      box("Records", table(heads, cell.seeds.map(seed))),
      ...(cell.metrics.length ? [make("h3", {}, "Metrics on test, mean over seeds")] : []),
      make("dl", {}, cell.metrics.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
      ...(cell.recipes.length ? [make("h3", {}, "Recipe")] : []),
      ...cell.recipes.map((recipe) => make("p", { class: "note" }, recipe)),
    );
    dialog.showModal();
    dialog.scrollTop = 0;
  };
  root.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-cell]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(data.cells[Number(link.dataset.cell)]);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
});

// The main table's filters and its heat map.
bench.section("scores", (root) => {
  const table = root.querySelector("#scores-table");
  const form = root.querySelector("#filters");
  const heat = root.querySelector("#heat");
  const baselines = root.querySelector("#baselines");
  const rows = [...table.tBodies[0].rows];
  const headings = [...table.tHead.querySelectorAll("[data-task]")];
  const field = (name) => form.querySelector(`#filter-${name}`).value;

  const pressed = (button) => button?.getAttribute("aria-pressed") === "true";
  const wanted = () => {
    const words = field("search").toLowerCase().split(/\s+/).filter(Boolean);
    const most = field("parameters") === "" ? Infinity : Number(field("parameters")) * 1e6;
    return (row) => {
      const { title, method, architecture, parameters, folded } = row.dataset;
      if (folded !== undefined && !pressed(baselines) && field("method") !== "baseline" && !words.length) return false;
      return words.every((word) => title.toLowerCase().includes(word))
        && (!field("method") || method === field("method"))
        && (!field("architecture") || architecture === field("architecture"))
        && (most === Infinity || (parameters !== undefined && Number(parameters) <= most));
    };
  };
  const columns = () => {
    const choice = field("tasks");
    const name = choice.slice(choice.indexOf(":") + 1);
    const key = choice.startsWith("family:") ? "family" : "task";
    return new Set(headings.filter((th) => !choice || th.dataset[key] === name).map((th) => th.dataset.task));
  };
  const apply = () => {
    const fits = wanted();
    for (const row of rows) row.hidden = !fits(row);
    const shown = columns();
    for (const cell of table.querySelectorAll("[data-task]")) cell.hidden = !shown.has(cell.dataset.task);
    root.querySelector("#shown").value = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };
  const colour = (on) => {
    heat.setAttribute("aria-pressed", on);
    table.classList.toggle("heat", on);
    root.querySelector("#scale").hidden = !on;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    colour(false);
    baselines?.setAttribute("aria-pressed", false);
    table.dispatchEvent(new Event("unsort"));
    setTimeout(apply); // after the fields are empty
  });
  heat.addEventListener("click", () => colour(!pressed(heat)));
  baselines?.addEventListener("click", () => {
    baselines.setAttribute("aria-pressed", !pressed(baselines));
    apply();
  });
  apply();
});

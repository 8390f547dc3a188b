// Two models side by side, row by row.
bench.section("errors", (root, tasks) => {
  const { make, options } = bench;
  const find = (name) => root.querySelector(`#errors-${name}`);
  const [task, first, second, kind] = ["task", "a", "b", "kind"].map(find);
  const more = find("more");
  const STEP = 25;
  let shown = STEP;

  const bits = (digits, rows) => {
    const found = [];
    for (const digit of digits) for (let place = 3; place >= 0; place -= 1) found.push((parseInt(digit, 16) >> place) & 1);
    return found.slice(0, rows);
  };
  const wanted = {
    differ: (a, b, same) => !same,
    a: (a, b) => a && !b,
    b: (a, b) => !a && b,
    wrong: (a, b) => !a && !b,
    right: (a, b) => a && b,
    all: () => true,
  };
  // What differs from the reference, tag by tag.
  const answer = (text, reference, tags) => {
    if (text === "") return [make("span", { class: "note" }, "(nothing)")];
    if (!tags || text === reference) return [text];
    const right = reference.split(" ");
    return text.split(" ").flatMap((part, place) => [part === right[place] ? part : make("mark", {}, part), " "]);
  };
  const chosen = () => {
    const data = tasks[task.value];
    const model = (select) => data.models[Math.max(0, data.models.findIndex((one) => one.title === select.value))];
    return [data, model(first), model(second)];
  };
  const draw = () => {
    const [data, a, b] = chosen();
    const places = data.ids.map((_, place) => place).filter((place) =>
      wanted[kind.value](a.right[place] === "1", b.right[place] === "1", a.said[place] === b.said[place]));
    const line = (place) => {
      const reference = data.texts[data.references[place]];
      const said = (model, name) => make("td", { "data-label": name },
        make("span", { class: "verdict" }, model.right[place] === "1" ? "✓ " : "✗ "),
        make("span", { class: "hidden" }, model.right[place] === "1" ? "right: " : "wrong: "),
        ...answer(data.texts[model.said[place]], reference, data.tags));
      return make("tr", {}, make("th", { scope: "row" }, data.ids[place],
        data.kinds[place] ? make("span", { class: "below" }, data.kinds[place]) : null),
      data.read ? make("td", { class: "read", "data-label": "text" }, data.read[place]) : null,
      make("td", { "data-label": "reference" }, answer(reference, reference)), said(a, `A: ${a.title}`), said(b, `B: ${b.title}`));
    };
    const heads = ["id", ...(data.read ? ["text"] : []), "reference", `A: ${a.title}, seed ${a.seed}`, `B: ${b.title}, seed ${b.seed}`];
    find("table").replaceChildren(places.length ? make("table", { class: "rows plain" },
      make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, places.slice(0, shown).map(line))) : make("p", { class: "note" }, " No such row."));
    more.hidden = places.length <= shown;
    find("note").textContent = told(data, a, b, places.length);
  };
  const told = (data, a, b, found) => {
    const whole = a.all !== "";
    const verdicts = (model) => (whole ? bits(model.all, data.rows) : [...model.right].map(Number));
    const [ours, theirs] = [verdicts(a), verdicts(b)];
    const count = (one, other) => ours.filter((bit, place) => bit === one && theirs[place] === other).length;
    const left = data.rows - data.ids.length;
    return `${found} rows are listed. Of ${whole ? `all ${data.rows} test rows` : "the rows on this page"}: both right ${count(1, 1)}, only A ${count(1, 0)}, `
      + `only B ${count(0, 1)}, both wrong ${count(0, 0)}. `
      + (data.unread ? `No texts: ${data.unread}. ` : "")
      + (left ? `${data.ids.length} rows are on this page, those on which the models agree least; ${left} were left out.` : "All rows are on this page.");
  };
  const restart = () => {
    shown = STEP;
    draw();
  };
  const choose = () => {
    const titles = tasks[task.value].models.map((one) => one.title);
    const fresh = !second.options.length;
    options(first, titles);
    options(second, titles);
    if (fresh && titles.length > 1) second.value = titles[1];
    restart();
  };
  task.addEventListener("change", choose);
  for (const select of [first, second, kind]) select.addEventListener("change", restart);
  more.addEventListener("click", () => {
    shown += STEP;
    draw();
  });
  choose();
});

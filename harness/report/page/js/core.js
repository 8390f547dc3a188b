"use strict";
document.documentElement.classList.add("script");

// What all scripts share: the page's data, and elements made from texts (never from HTML).
const bench = (() => {
  const starters = [];
  const fill = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  };
  return {
    // section("name", (root, data) => …): called once the page is there, if the section is on it.
    section: (name, start) => starters.push([name, start]),
    start: () => {
      for (const [name, start] of starters) {
        const root = document.getElementById(name);
        const data = document.getElementById(`data-${name}`);
        if (root) start(root, data && JSON.parse(data.textContent));
      }
    },
    make: (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children),
    svg: (tag, attributes = {}, ...children) =>
      fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children),
    // A table of texts; `head` of headings, `rows` of [heading, ...cells].
    table: (head, rows, attributes = {}) => {
      const { make } = bench;
      const line = ([first, ...rest]) =>
        make("tr", {}, make("th", { scope: "row" }, first), rest.map((text) => make("td", { class: "number" }, text)));
      return make("table", attributes,
        make("thead", {}, make("tr", {}, head.map((text) => make("th", { scope: "col" }, text)))),
        make("tbody", {}, rows.map(line)));
    },
    options: (select, titles) => {
      const before = select.value;
      select.replaceChildren(...titles.map((title) => bench.make("option", { value: title }, title)));
      if (titles.includes(before)) select.value = before;
    },
  };
})();

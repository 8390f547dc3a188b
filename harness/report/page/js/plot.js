// What the charts have in common: scales, marks of the axes, the frame, and the shapes that tell architectures apart.
bench.plot = {
  // Positions of numbers on a logarithmic axis, with some room at both ends.
  log: (values, from, to) => {
    const known = values.map(Math.log10);
    const room = Math.max(0.15, (Math.max(...known) - Math.min(...known)) * 0.08);
    const [low, high] = [Math.min(...known) - room, Math.max(...known) + room];
    const at = (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
    const holds = (value) => Math.log10(value) >= low && Math.log10(value) <= high;
    return { at, holds, low: 10 ** low, high: 10 ** high };
  },
  // With room of at least `least` at both ends, but never below `floor`.
  linear: (values, from, to, least = 0.5, floor = -Infinity) => {
    const [lowest, highest] = [Math.min(...values), Math.max(...values)];
    const room = Math.max(least, (highest - lowest) * 0.08) || 0.5;
    const [low, high] = [Math.max(floor, lowest - room), highest + room];
    return { at: (value) => from + ((value - low) / (high - low)) * (to - from), low, high };
  },
  // Round numbers between two, about so many.
  round: (low, high, count) => {
    const raw = (high - low) / count;
    const size = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((one) => one * size).find((one) => one >= raw);
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(Number(value.toFixed(6)));
    return found;
  },
  // The powers of ten between two numbers; of less than two powers their halves and fifths too.
  powers: (low, high) => {
    const every = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
      for (const one of [1, 2, 5]) every.push(Number((one * 10 ** power).toPrecision(1)));
    }
    const found = every.filter((value) => value >= low && value <= high);
    const whole = found.filter((value) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6));
    return whole.length > 2 ? whole : found;
  },
  // The marks that fit side by side: [position, text] with `width` pixels a letter.
  fitting: (marks, width = 7.5) => {
    const kept = [];
    for (const [at, text] of marks) {
      const last = kept[kept.length - 1];
      if (!last || at - last[0] > ((text.length + last[1].length) / 2) * width + 10) kept.push([at, text]);
    }
    return kept;
  },
  shapes: {
    encoder: "M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z",
    decoder: "M-4.5-4.5H4.5V4.5H-4.5Z",
    "encoder-decoder": "M0-5.5L5.5 4.5H-5.5Z",
    other: "M0-6L6 0L0 6L-6 0Z",
  },
  kind: (architecture) => (Object.hasOwn(bench.plot.shapes, architecture) ? architecture : "other"),
  shape: (kind) => bench.svg("path", { d: bench.plot.shapes[kind] }),
  // Something to read: `listen` is called with its text where it is pointed at or has the focus.
  read: (element, text, listen) => {
    element.append(bench.svg("title", {}, text));
    for (const event of ["focus", "mouseenter"]) element.addEventListener(event, () => listen(text));
    return element;
  },
  // An empty chart that fills its element's width. `across` and `up` are marks of the axes: [position, text].
  frame: ({ width, height, left, right, top, foot }, { label, xTitle, yTitle, across, up }, ...children) => {
    const { svg } = bench;
    return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label },
      across.map(([at, text]) => svg("g", { class: "tick" },
        svg("line", { x1: at, x2: at, y1: top, y2: foot }),
        svg("text", { x: at, y: foot + 18, "text-anchor": "middle" }, text))),
      up.map(([at, text]) => svg("g", { class: "tick" },
        svg("line", { x1: left, x2: right, y1: at, y2: at }),
        svg("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, text))),
      svg("text", { x: (left + right) / 2, y: height - 8, "text-anchor": "middle" }, xTitle),
      svg("text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(12 ${(top + foot) / 2}) rotate(-90)` }, yTitle),
      ...children);
  },
  // Call `draw` now, and again whenever the element's width has changed.
  fit: (element, draw) => {
    let width = 0;
    new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      draw();
    }).observe(element);
  },
};

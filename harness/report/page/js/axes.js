// Scales and marks of the charts' axes.
bench.axes = {
  // Positions of numbers on a logarithmic axis, with some room at both ends.
  log: (values, from, to) => {
    const known = values.map(Math.log10);
    const room = Math.max(0.15, (Math.max(...known) - Math.min(...known)) * 0.08);
    const [low, high] = [Math.min(...known) - room, Math.max(...known) + room];
    const at = (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
    return { at, holds: (value) => Math.log10(value) >= low && Math.log10(value) <= high };
  },
  linear: (values, from, to) => {
    const room = Math.max(0.5, (Math.max(...values) - Math.min(...values)) * 0.08);
    const [low, high] = [Math.min(...values) - room, Math.max(...values) + room];
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
  // The marks that fit side by side: [position, text] with `width` pixels a letter.
  fitting: (marks, width = 7.5) => {
    const kept = [];
    for (const [at, text] of marks) {
      const last = kept[kept.length - 1];
      if (!last || at - last[0] > ((text.length + last[1].length) / 2) * width + 10) kept.push([at, text]);
    }
    return kept;
  },
};

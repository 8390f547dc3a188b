// Tables that are sorted by their headings. What has no number stands last, whichever way it goes.
{
  const sort = (table, header) => {
    const down = header.ariaSort === "none" ? header.dataset.first === "down" : header.ariaSort === "ascending";
    for (const other of table.tHead.rows[0].cells) other.ariaSort = "none";
    header.ariaSort = down ? "descending" : "ascending";
    const place = header.cellIndex;
    const key = (row) => {
      const cell = row.cells[place];
      if (cell.dataset.v === undefined) return null;
      return cell.tagName === "TH" ? cell.dataset.v : Number(cell.dataset.v);
    };
    const compare = (one, other) => {
      if (one.key === null || other.key === null) return (one.key === null) - (other.key === null);
      const order = one.key < other.key ? -1 : one.key > other.key ? 1 : 0;
      return down ? -order : order;
    };
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: key(row) }));
    table.tBodies[0].append(...rows.sort(compare).map(({ row }) => row));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const rows = [...table.tBodies[0].rows];
    table.tHead.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) sort(table, button.closest("th"));
    });
    // The order that the board gives.
    table.addEventListener("unsort", () => {
      for (const header of table.tHead.rows[0].cells) header.ariaSort = "none";
      table.tBodies[0].append(...rows);
    });
  }
}

// Sort by a column on a click; a second click turns the order round. Rows without a value stay last.
document.querySelectorAll("table.sortable thead button").forEach((button) => {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0];
    const column = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
    head.parentElement.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => {
      const cell = row.cells[column];
      if (!cell || cell.colSpan > 1) return null;
      if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
      const text = cell.textContent.trim().toLowerCase();
      return text === "" || text === "–" ? null : text;
    };
    const order = new Intl.Collator(undefined, { numeric: true }).compare;
    const known = [], unknown = [];
    for (const row of body.rows) {
      const value = key(row);
      (value === null ? unknown : known).push([value, row]);
    }
    known.sort(([a], [b]) => (down ? -1 : 1) * (typeof a === "number" && typeof b === "number" ? a - b : order(String(a), String(b))));
    body.append(...[...known, ...unknown].map(([, row]) => row));
  });
});

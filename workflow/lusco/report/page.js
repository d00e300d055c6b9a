"use strict";
// Figures are downloaded from where they are shown, so that the page holds them once.
document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("a[data-figure]")) {
    link.href = document.getElementById(link.dataset.figure).src;
  }
});
// A click on a heading sorts its table, the next one the other way round.
document.addEventListener("DOMContentLoaded", () => {
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = parseFloat(text.replace(/[,\s]/g, "").replace("−", "-"));
    return Number.isNaN(number) ? text.toLowerCase() : number;
  };
  for (const table of document.querySelectorAll("table.sorts")) {
    for (const heading of table.rows[0].cells) {
      if (!heading.textContent.trim()) continue;
      const button = document.createElement("button");
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        for (const other of table.rows[0].cells) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.rows].slice(1);
        rows.sort((a, b) => {
          const [x, y] = [value(a, heading.cellIndex), value(b, heading.cellIndex)];
          const order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1;
          return down ? -order : order;
        });
        rows[0]?.parentNode.append(...rows);
      });
    }
  }
});

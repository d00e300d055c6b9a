"use strict";
// Figures are downloaded from where they are shown, so that the page holds them once.
document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("a[data-figure]")) {
    link.href = document.getElementById(link.dataset.figure).src;
  }
});
// Escape makes an enlarged figure small again; on paper, what is folded away is there.
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const enlarged of document.querySelectorAll("figure input:checked")) enlarged.checked = false;
});
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
// A click on a heading sorts its table, the next one the other way round. A column of nothing but numbers, with or
// without their errors, is sorted by them; any other as people sort names, in which cell2 comes before cell10. What is missing comes last.
document.addEventListener("DOMContentLoaded", () => {
  const NUMBER = /^[+−-]?\d[\d,]*(\.\d+)?(e[+−-]?\d+)?(\s±\s\d[\d,]*(\.\d+)?)?\s?%?$/i;
  const names = new Intl.Collator("en", {numeric: true, sensitivity: "base"});
  const number = (text) => parseFloat(text.replaceAll(",", "").replaceAll("−", "-"));
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
        const texts = new Map(rows.map((row) => [row, row.cells[heading.cellIndex].textContent.trim()]));
        const missing = (row) => ["", "–"].includes(texts.get(row));
        const numeric = rows.every((row) => missing(row) || NUMBER.test(texts.get(row)));
        const compare = numeric ? (x, y) => number(x) - number(y) : names.compare;
        rows.sort((a, b) => missing(a) - missing(b) || (down ? -1 : 1) * (missing(a) ? 0 : compare(texts.get(a), texts.get(b))));
        rows[0]?.parentNode.append(...rows);
      });
    }
  }
});

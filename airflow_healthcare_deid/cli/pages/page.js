"use strict";
// Filters the rows of all tables that can be filtered. Without it, the page shows them all.
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const [words, repeats, said] = ["filter-words", "filter-repeats", "filter-said"].map((id) => document.getElementById(id));
  const rows = [...document.querySelectorAll("table.fields tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = wanted.length > 0 || repeats.checked;
    let shown = 0;
    rows.forEach((row, index) => {
      const fits = wanted.every((word) => texts[index].includes(word)) && (!repeats.checked || "repeats" in row.dataset);
      row.hidden = !fits;
      shown += fits;
      if (fits && active) row.closest("details").open = true;
    });
    said.textContent = active ? `${shown} of ${rows.length} fields shown` : "";
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", apply);
  form.hidden = false;
})();

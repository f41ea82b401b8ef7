"use strict";
// Everything on the page is there without this script. It adds sorting, what the pointer is on, and the theme.

const tip = document.getElementById("tip");

function showTip(event, html) {
  tip.innerHTML = html;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const right = event.clientX + 16 + box.width < innerWidth;
  tip.style.left = (right ? event.clientX + 16 : Math.max(4, event.clientX - 16 - box.width)) + "px";
  tip.style.top = Math.max(4, Math.min(innerHeight - box.height - 4, event.clientY - box.height / 2)) + "px";
}

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const number = (v) => (v === null ? "–" : v.toFixed(1).replace("-", "−"));

// toDrawing returns where the pointer is in the drawing's own units.
function toDrawing(svg, event) {
  const box = svg.getBoundingClientRect();
  const view = svg.viewBox.baseVal;
  return [((event.clientX - box.left) * view.width) / box.width, ((event.clientY - box.top) * view.height) / box.height];
}

for (const svg of document.querySelectorAll("svg.lines")) {
  const data = JSON.parse(svg.dataset.hover);
  const cursor = svg.querySelector(".cursor");
  svg.addEventListener("pointermove", (event) => {
    const [x] = toDrawing(svg, event);
    let near = 0;
    data.at.forEach((at, i) => { if (Math.abs(at - x) < Math.abs(data.at[near] - x)) near = i; });
    cursor.setAttribute("d", `M${data.at[near]} ${svg.dataset.top}V${svg.dataset.bottom}`);
    const rows = data.curves
      .filter((c) => c.values[near])
      .sort((a, b) => b.values[near][0] - a.values[near][0])
      .map((c) => {
        const [mean, low, high, runs] = c.values[near];
        const interval = low === null ? "" : `${number(low)} to ${number(high)}`;
        return `<tr><td><i class="r${c.role}"></i>${escape(c.name)}</td><td><b>${number(mean)}</b></td><td>${interval}</td><td>n = ${runs}</td></tr>`;
      });
    showTip(event, `${data.x[near]} ${escape(svg.dataset.unit)}<table>${rows.join("")}</table>`);
  });
  svg.addEventListener("pointerleave", () => {
    tip.hidden = true;
    cursor.setAttribute("d", "M0 0");
  });
  // The legend brings one curve to the front.
  const panel = svg.closest(".panel");
  for (const item of panel.querySelectorAll(".legend li")) {
    const others = () => [...svg.querySelectorAll("g[data-name]")].filter((g) => g.dataset.name !== item.dataset.name);
    item.addEventListener("pointerenter", () => others().forEach((g) => g.classList.add("dim")));
    item.addEventListener("pointerleave", () => others().forEach((g) => g.classList.remove("dim")));
  }
}

for (const svg of document.querySelectorAll("svg.map")) {
  const cases = JSON.parse(svg.closest(".maps").dataset.cases);
  const [left, top, right, bottom, columns, rows] = JSON.parse(svg.dataset.frame);
  const times = new Map((JSON.parse(svg.dataset.picks) || []).map(([c, s, n]) => [c + "/" + s, n]));
  svg.addEventListener("pointermove", (event) => {
    const [x, y] = toDrawing(svg, event);
    const column = Math.floor(((x - left) / (right - left)) * columns);
    const slice = Math.floor(((bottom - y) / (bottom - top)) * rows);
    if (column < 0 || column >= columns || slice < 0 || slice >= rows) { tip.hidden = true; return; }
    const n = times.get(column + "/" + slice) || 0;
    showTip(event, `<b>${escape(cases[column])}, slice ${slice}</b>${n === 0 ? "not picked" : n === 1 ? "picked in 1 run" : `picked in ${n} runs`}`);
  });
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });
}

for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") !== "descending" && column > 0 || head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th[aria-sort]").forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const body = table.tBodies[0];
      const key = (row) => {
        const cell = row.cells[column];
        if (!cell) return "";
        return "v" in cell.dataset ? Number(cell.dataset.v) : cell.textContent;
      };
      const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));
      [...body.rows]
        .sort((a, b) => (descending ? -1 : 1) * compare(key(a), key(b)))
        .forEach((row) => body.append(row));
    });
  });
}

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

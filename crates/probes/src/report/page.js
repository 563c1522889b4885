// What moves in the page: the theme, values under the pointer, sliders of steps, a run picked out.
// Texts of runs are only ever put in as text. Without this script the page is whole but still.
(() => {
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement, tip = document.getElementById("tip");
const make = (name, text, parent) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (parent) parent.appendChild(element);
  return element;
};
const dark = matchMedia("(prefers-color-scheme: dark)");
const surfaces = [];
const themed = () => surfaces.forEach(surface => surface.draw());

const button = document.getElementById("theme");
button.hidden = false;
button.onclick = () => {
  const now = root.dataset.theme || (dark.matches ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  themed();
};
dark.addEventListener("change", themed);

// Four digits, and powers of ten outside the usual range.
const shown = value => {
  if (value === null || !isFinite(value)) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e-3 && size < 1e5 ? String(+value.toPrecision(4)) : value.toExponential(3);
  return text.replace(/-/g, "−");
};
const showTip = (event, fill) => {
  tip.replaceChildren();
  fill(tip);
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const right = event.clientX + 16 + box.width > innerWidth;
  tip.style.left = Math.max(6, right ? event.clientX - 16 - box.width : event.clientX + 16) + "px";
  tip.style.top = Math.max(6, Math.min(innerHeight - box.height - 6, event.clientY - box.height / 2)) + "px";
};
const hideTip = () => { tip.hidden = true; };

// The index of the number nearest to x in an increasing list.
const nearest = (list, x) => {
  let low = 0, high = list.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle] <= x) low = middle; else high = middle;
  }
  return Math.abs(list[low] - x) <= Math.abs(list[high] - x) ? low : high;
};

for (const figure of document.querySelectorAll("[data-chart]")) {
  const chart = data.charts[+figure.dataset.chart];
  const svg = figure.querySelector("svg:not(.key)");
  const [left, top, right, bottom] = chart.frame;
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "path");
  cursor.setAttribute("class", "cursor");
  svg.appendChild(cursor);
  const up = y => chart.log ? Math.log(y / chart.y[0]) / Math.log(chart.y[1] / chart.y[0]) : (y - chart.y[0]) / (chart.y[1] - chart.y[0]);
  const leave = () => { cursor.setAttribute("d", ""); hideTip(); };
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect();
    const across = (event.clientX - box.left) * chart.size[0] / box.width;
    const down = (event.clientY - box.top) * chart.size[1] / box.height;
    if (across < left - 8 || across > right + 8) return leave();
    const share = Math.min(1, Math.max(0, (across - left) / (right - left)));
    const x = chart.x[0] + share * (chart.x[1] - chart.x[0]);
    const rows = chart.series.filter(s => s.x.length).map(s => {
      const k = nearest(s.x, x), y = s.y[k];
      const height = y === null ? bottom : bottom - up(y) * (bottom - top);
      return { s, x: s.x[k], y, far: Math.abs(height - down) };
    });
    if (!rows.length) return leave();
    const some = rows.slice().sort((p, q) => p.far - q.far).slice(0, 8).sort((p, q) => (q.y ?? -1 / 0) - (p.y ?? -1 / 0));
    const at = rows.reduce((p, q) => Math.abs(p.x - x) <= Math.abs(q.x - x) ? p : q).x;
    const place = left + (at - chart.x[0]) / (chart.x[1] - chart.x[0]) * (right - left);
    cursor.setAttribute("d", `M${place} ${top}V${bottom}`);
    showTip(event, box => {
      make("b", `${chart.name} ${shown(at)}`, box);
      for (const row of some) {
        const line = make("div", undefined, box), name = make("span", undefined, line);
        make("i", undefined, name).className = "b" + Math.min(7, row.s.c);
        name.appendChild(document.createTextNode(row.s.n + (row.x === at ? "" : ` (${shown(row.x)})`)));
        make("span", shown(row.y), line);
      }
      if (rows.length > some.length) make("div", `${rows.length - some.length} more`, box);
    });
  });
  svg.addEventListener("pointerleave", leave);
}

let picked = null;
const pick = run => {
  picked = picked === run ? null : run;
  for (const line of document.querySelectorAll(".chart svg:not(.key) path.l, .chart svg:not(.key) path.dot, .chart svg:not(.key) path.x")) {
    const own = line.classList.contains("r" + run);
    line.classList.toggle("dim", picked !== null && !own);
    line.classList.toggle("lit", picked !== null && own && line.classList.contains("l"));
  }
};
document.addEventListener("click", event => {
  const run = event.target.closest && event.target.closest(".run");
  if (run) pick(run.dataset.run);
});

// A slider over steps, which calls back with the index.
const slider = (steps, change) => {
  const box = make("label");
  box.className = "steps";
  make("span", "step", box);
  const input = make("input", undefined, box), output = make("output", undefined, box);
  Object.assign(input, { type: "range", min: 0, max: steps.length - 1, step: 1, value: steps.length - 1 });
  input.setAttribute("aria-label", "step");
  const set = () => { output.textContent = steps[+input.value]; change(+input.value); };
  input.addEventListener("input", set);
  set();
  return box;
};
for (const stepper of document.querySelectorAll(".stepper")) {
  const figures = [...stepper.children];
  stepper.appendChild(slider(stepper.dataset.steps.split(" "), index => figures.forEach((figure, k) => { figure.hidden = k !== index; })));
}
for (const figure of document.querySelectorAll("[data-surface]")) {
  surfaces.push(turnable(figure, data.surfaces[+figure.dataset.surface], { make, shown, showTip, hideTip, slider }));
}
})();

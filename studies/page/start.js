// Begins: every figure in its place, the choice of a head, and light or dark.
"use strict";

const STARTS = { plot: startPlot, raster: startRaster, ramp: startRamp, maps: startMaps };
for (const [name, figure] of Object.entries(figures)) {
  STARTS[figure.kind](document.getElementById(name), figure.spec);
}

const head = document.getElementById("head");
head?.addEventListener("change", () => {
  chosen.head = Number(head.value);
  drawAll();
});

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const button = document.getElementById("theme");
function theme(name) {
  document.documentElement.dataset.theme = name;
  button.textContent = name === "dark" ? "Light" : "Dark";
  button.setAttribute("aria-label", `Change to ${button.textContent.toLowerCase()} colours`);
  drawAll();
}
button.addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
dark.addEventListener("change", event => theme(event.matches ? "dark" : "light"));
theme(dark.matches ? "dark" : "light");

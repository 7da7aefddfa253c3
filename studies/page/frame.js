// What every part of a page uses: the data in it, colours of the theme, and how plotly.js is called.
"use strict";

const held = name => JSON.parse(document.getElementById(name).textContent);
const figures = held("figures");
const ARRAYS = { int8: Int8Array, int16: Int16Array, int32: Int32Array, float32: Float32Array, float64: Float64Array };
// Views and plots, each a function that draws anew; what the reader chose for all of them
const drawn = [];
const chosen = { head: 0 };

/** A packed array: its values in one line, and its shape. */
function unpacked(array) {
  const bytes = Uint8Array.from(atob(array.data), letter => letter.charCodeAt(0));
  return { values: new ARRAYS[array.dtype](bytes.buffer), shape: array.shape };
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A specification with the colours of the theme in place of texts such as "--blue". */
function coloured(value) {
  if (typeof value === "string") return value.startsWith("--") ? colour(value) : value;
  if (Array.isArray(value)) return value.map(coloured);
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, coloured(entry)]));
}

const axis = { gridcolor: "--rule", linecolor: "--rule", zerolinecolor: "--rule", automargin: true, fixedrange: true };

/** Draw or draw again; a finger that meets a plot scrolls the page. */
function plot(place, data, layout) {
  const whole = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false, hovermode: "closest",
    font: { family: "system-ui, DejaVu Sans, sans-serif", size: 12, color: "--ink" },
    colorway: ["--blue", "--vermilion", "--green", "--purple", "--orange", "--sky"],
    margin: { l: 44, r: 12, t: 10, b: 40 }, showlegend: false, height: 320,
    hoverlabel: { bgcolor: "--paper", bordercolor: "--rule", font: { color: "--ink" } },
    ...layout,
  };
  for (const name of Object.keys(whole).filter(key => /^[xy]axis\d*$/.test(key))) {
    whole[name] = { ...axis, ...whole[name] };
  }
  whole.xaxis ??= axis;
  whole.yaxis ??= axis;
  return Plotly.react(place, coloured(data), coloured(whole), { responsive: true, displayModeBar: false });
}

function drawAll() {
  drawn.forEach(draw => draw());
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Panels side by side where there is room: one place to draw in for each title. */
function panels(place, titles) {
  const box = element("div", { className: "panels" });
  const places = titles.map(([name, title]) => {
    const inner = element("div", { id: `${place.id}-${name}` });
    box.append(element("div", {}, element("h4", {}, title), inner));
    return inner;
  });
  place.append(box);
  return places;
}

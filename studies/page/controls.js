// Sliders with a button that moves them, and the line below that says what is to be seen.
"use strict";

const MOMENT = 450; // milliseconds of a step that the button makes

/** A slider over low..high that calls `changed` with its number. */
function slider(id, label, low, high, value, changed) {
  const shown = element("output", { htmlFor: id }, String(value));
  const input = element("input", { type: "range", id, min: low, max: high, step: 1, value });
  input.addEventListener("input", () => {
    shown.value = input.value;
    changed(Number(input.value));
  });
  return { input, box: element("label", {}, label, input, shown) };
}

/** A button that moves a slider step by step, from its start again when it was at its end. */
function player(input) {
  const button = element("button", { type: "button", "aria-pressed": "false" }, "Play");
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
    button.setAttribute("aria-pressed", "false");
  };
  const step = () => {
    if (Number(input.value) >= Number(input.max)) return stop();
    input.value = Number(input.value) + 1;
    input.dispatchEvent(new Event("input"));
  };
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (Number(input.value) >= Number(input.max)) input.value = Number(input.min) - 1;
    button.textContent = "Pause";
    button.setAttribute("aria-pressed", "true");
    timer = setInterval(step, MOMENT);
    step();
  });
  return button;
}

function controls(place, ...parts) {
  place.append(element("div", { className: "controls" }, ...parts));
}

function readout(place) {
  const line = element("p", { className: "readout", "aria-live": "polite" });
  place.append(line);
  return line;
}

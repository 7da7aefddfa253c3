// Figures that stand still.
"use strict";

function startPlot(place, spec) {
  const inner = element("div");
  place.append(inner);
  drawn.push(() => plot(inner, spec.data, spec.layout));
}

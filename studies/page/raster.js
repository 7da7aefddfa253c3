// Spike rasters with a time cursor: what has fired is in colour, what is to come is grey.
"use strict";

function startRaster(place, spec) {
  const inputs = spec.inputs.map(input => ({
    ...input, time: unpacked(input.time).values, neuron: unpacked(input.neuron).values,
    sign: unpacked(input.sign).values, starts: unpacked(input.starts).values,
  }));
  let step = spec.cursor;
  const { input, box } = slider(`${place.id}-step`, "Time step", 0, spec.steps - 1, step, value => {
    step = value;
    draw();
  });
  controls(place, box, player(input));
  const line = readout(place);
  const apart = Math.ceil(spec.tokens / 8); // tokens between two marks of the axis
  const tokens = [...Array(Math.ceil(spec.tokens / apart)).keys()].map(mark => mark * apart);
  const places = panels(place, inputs.map(one => [one.name, one.title]));

  function draw() {
    const told = inputs.map((one, number) => {
      const groups = { plus: [[], []], minus: [[], []], later: [[], []] };
      for (let n = one.starts[chosen.head]; n < one.starts[chosen.head + 1]; n++) {
        const group = one.time[n] > step ? "later" : one.sign[n] > 0 ? "plus" : "minus";
        groups[group][0].push(one.time[n]);
        groups[group][1].push(one.neuron[n]);
      }
      const fired = groups.plus[0].length + groups.minus[0].length;
      const dots = (group, name, mark, symbol) => ({
        x: groups[group][0], y: groups[group][1], name, type: "scatter", mode: "markers",
        marker: { color: mark, size: 5, symbol },
        customdata: groups[group][1].map(neuron => [Math.floor(neuron / spec.head_dim), neuron % spec.head_dim]),
        hovertemplate: "token %{customdata[0]}, feature %{customdata[1]}, step %{x}<extra>%{fullData.name}</extra>",
      });
      plot(places[number], [
        dots("later", "later", "--silent", "circle"),
        dots("minus", "negative", "--vermilion", "triangle-down"),
        dots("plus", "positive", "--blue", "circle"),
      ], {
        height: 340,
        xaxis: { title: { text: "time step" }, range: [-0.7, spec.steps - 0.3], showgrid: false },
        yaxis: { title: { text: "neuron: features of token" }, range: [one.neurons - 0.5, -0.5], zeroline: false,
          tickvals: tokens.map(token => token * spec.head_dim), ticktext: tokens.map(String) },
        shapes: [{ type: "line", x0: step, x1: step, yref: "paper", y0: 0, y1: 1, layer: "below",
          line: { color: "--sky", width: 8 }, opacity: 0.35 }],
      });
      return `${one.name} ${fired} of ${one.starts[chosen.head + 1] - one.starts[chosen.head]} spikes`;
    });
    line.textContent = `Head ${chosen.head}, up to step ${step}: ${told.join(", ")}.`;
  }
  drawn.push(draw);
}

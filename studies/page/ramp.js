// The winner-oriented spike shift on one row: a threshold falls from the winner, keys fire as it passes them.
"use strict";

function startRamp(place, spec) {
  const score = unpacked(spec.score), phase = unpacked(spec.phase).values, winner = unpacked(spec.winner).values;
  const threshold = unpacked(spec.threshold), allowed = spec.allowed && unpacked(spec.allowed).values;
  const [, tokens] = score.shape, window = threshold.shape[2];
  const state = { row: 0, step: Math.min(2, window - 1) };
  const row = slider(`${place.id}-row`, "Row (query)", 0, tokens - 1, state.row, value => {
    state.row = value;
    draw();
  });
  const step = slider(`${place.id}-step`, "Step of the ramp", 0, window - 1, state.step, value => {
    state.step = value;
    draw();
  });
  controls(place, row.box, step.box, player(step.input));
  const line = readout(place);
  const inner = element("div", { id: `${place.id}-plot` });
  place.append(inner);

  function draw() {
    const at = (chosen.head * tokens + state.row) * tokens;
    const level = threshold.values[(chosen.head * tokens + state.row) * window + state.step];
    const best = winner[chosen.head * tokens + state.row];
    const keys = { before: [], now: [], waiting: [] };
    for (let key = 0; key < tokens; key++) {
      if (allowed && !allowed[at + key]) continue;
      const fires = phase[at + key];
      keys[fires < 0 || fires > state.step ? "waiting" : fires < state.step ? "before" : "now"].push(key);
    }
    const bars = (name, title, mark, pattern) => ({
      type: "bar", width: 0.75, name: title, x: keys[name], y: keys[name].map(key => score.values[at + key]),
      marker: { color: mark, pattern: { shape: pattern, fgcolor: "--paper", size: 6 } },
      customdata: keys[name].map(key => phase[at + key] < 0 ? "stays silent" : `fires at step ${phase[at + key]}`),
      hovertemplate: "key %{x}: score %{y:,}, %{customdata}<extra></extra>",
    });
    const winners = [...Array(tokens).keys()].filter(key => phase[at + key] >= 0 && score.values[at + key] === best);
    plot(inner, [
      bars("waiting", "not yet", "--silent", ""), bars("before", "has fired", "--blue", ""),
      bars("now", "fires now", "--vermilion", "/"),
      { type: "scatter", mode: "markers", name: "winner", x: winners, y: winners.map(() => best),
        marker: { symbol: "star", size: 12, color: "--orange" }, hovertemplate: "winner: key %{x}<extra></extra>" },
    ], {
      height: 340, barmode: "overlay", showlegend: true,
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" }, margin: { l: 50, r: 12, t: 40, b: 40 },
      xaxis: { title: { text: "key" }, range: [-0.7, tokens - 0.3], showgrid: false },
      yaxis: { title: { text: "score" } },
      shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: level, y1: level,
        line: { color: "--vermilion", width: 2, dash: "dash" } }],
    });
    const fired = keys.before.length + keys.now.length;
    const now = keys.now.length ? `key${keys.now.length > 1 ? "s" : ""} ${keys.now.join(", ")}` : "no key";
    line.textContent = `Head ${chosen.head}, row ${state.row}, step ${state.step}: the threshold is at ` +
      `${level.toLocaleString("en")}, ${now} fire${keys.now.length > 1 ? "" : "s"}; ` +
      `${fired} of ${fired + keys.waiting.length} have fired. The winner scored ${best.toLocaleString("en")}.`;
  }
  drawn.push(draw);
}

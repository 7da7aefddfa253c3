// Attention maps side by side: what the hardware computed, the reference, and the difference.
"use strict";

function startMaps(place, spec) {
  const maps = spec.maps.map(map => ({ ...map, array: unpacked(map.array) }));
  const places = panels(place, maps.map(map => [map.name, map.title]));

  function draw() {
    maps.forEach((map, number) => {
      const [, rows, keys] = map.array.shape;
      const from = chosen.head * rows * keys;
      const z = Array.from({ length: rows }, (_, row) =>
        map.array.values.subarray(from + row * keys, from + (row + 1) * keys));
      const most = map.signed ? z.reduce((top, line) => line.reduce((a, b) => Math.max(a, Math.abs(b)), top), 0) : 0;
      const scale = map.signed
        ? { colorscale: [[0, "--vermilion"], [0.5, "--panel"], [1, "--blue"]], zmin: -most || -1, zmax: most || 1 }
        : { colorscale: [[0, "--panel"], [1, "--blue"]], zmin: 0, zmax: spec.most[chosen.head] };
      plot(places[number], [{
        type: "heatmap", z, ...scale, xgap: keys > 48 ? 0 : 1, ygap: rows > 48 ? 0 : 1,
        colorbar: { thickness: 10, outlinewidth: 0, len: 1 },
        hovertemplate: "row %{y}, key %{x}: %{z:.4f}<extra></extra>",
      }], {
        height: 340, xaxis: { title: { text: "key" }, showgrid: false, zeroline: false },
        yaxis: { title: { text: "row (query)" }, autorange: "reversed", showgrid: false, zeroline: false },
      });
    });
  }
  drawn.push(draw);
}

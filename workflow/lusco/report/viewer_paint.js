"use strict";
// Layers to pixels for the screen: colours that add, and maps of what the model thinks of each place.
LuscoViewer.paint = (() => {
  const GAMMA = 0.6;                       // as in the figures: lifts single localizations out of the black
  const CODES = 255;                       // a code v of counts stands for peak * (v / 255)^2 of them
  const PERCENT = 100;                     // and one of a probability for so many percent
  const STRANGE = 2;                       // novelty shown in the last colour of its scale; above 1 a region is flagged
  const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const PLASMA = [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]];

  const counts = (layer, code) => layer.peak * (code / CODES) ** 2;

  const brightness = (layer, gain) => Float32Array.from({length: CODES + 1}, (_, code) =>
    Math.min(1, (counts(layer, code) * gain) / layer.full) ** GAMMA);

  function between(stops, fraction) {
    const place = Math.max(0, Math.min(1, fraction)) * (stops.length - 1);
    const step = Math.min(stops.length - 2, Math.floor(place));
    return stops[step].map((value, index) => value + (place - step) * (stops[step + 1][index] - value));
  }

  // A map: what it shows in words, the ends of its scale, its colours, and the value of a pixel (below 0: none).
  function map(kind, image, names) {
    const {certainty, chances, novelty} = image.codes;
    const [what, which] = kind.split("-");
    const percent = (values, least) => ({
      ends: [`${Math.round(PERCENT * least)} %`, "100 %"], stops: VIRIDIS,
      at: (pixel) => certainty[pixel] ? Math.max(0, values[pixel] / PERCENT - least) / (1 - least) : -1,
    });
    if (what === "certainty") return {title: "certainty", ...percent(certainty, 1 / image.structures.length)};
    if (what === "chance") return {title: `probability of ${names[which]}`, ...percent(chances[which], 0)};
    if (what !== "novelty") return null;
    return {
      title: "novelty (above 1: unlike what the model knows)", ends: ["0", `${STRANGE} or more`], stops: PLASMA,
      at: (pixel) => novelty[pixel] < 0 ? -1 : Math.min(1, novelty[pixel] / STRANGE),
    };
  }

  // An image in one of its ways; `mix` says the colour and brightness of each structure, the brightness of what was
  // measured, and the certainty below which the model's answer is left black.
  function painted(image, kind, mix, names) {
    const size = image.rows * image.columns;
    const pixels = new Uint32Array(size).fill(0xff000000);
    const red = new Float32Array(size), green = new Float32Array(size), blue = new Float32Array(size);
    const measured = image.codes.measured[0];
    const paint = (values, table, colour) => {
      for (let at = 0; at < size; at++) {
        const bright = table[values[at]];
        if (bright > 0) {
          red[at] += bright * colour[0];
          green[at] += bright * colour[1];
          blue[at] += bright * colour[2];
        }
      }
    };
    const shown = map(kind, image, names);
    if (shown) {
      const shade = brightness(image.measured[0], 4);
      const table = Array.from({length: CODES + 1}, (_, code) => between(shown.stops, code / CODES));
      const fills = kind === "novelty";  // a region is filled also between its localizations
      for (let at = 0; at < size; at++) {
        const value = shown.at(at);
        if (value < 0 && !fills) continue;
        const colour = value < 0 ? [90, 90, 90] : table[Math.round(CODES * value)];
        const light = fills ? (value < 0 ? 0 : 0.5) + 0.5 * shade[measured[at]] : 0.4 + 0.6 * shade[measured[at]];
        red[at] = light * colour[0];
        green[at] = light * colour[1];
        blue[at] = light * colour[2];
      }
    } else if (kind === "measured") {
      paint(measured, brightness(image.measured[0], mix.gain), [255, 255, 255]);
    } else {
      mix.structures.forEach(({colour, gain}, index) => {
        if (gain > 0) paint(image.codes[kind][index], brightness(image[kind][index], gain), colour);
      });
    }
    const hides = !["measured", "truth", "novelty"].includes(kind);
    for (let at = 0; at < size; at++) {
      if (hides && image.codes.certainty[at] < PERCENT * mix.least) continue;
      const r = Math.min(255, red[at]), g = Math.min(255, green[at]), b = Math.min(255, blue[at]);
      pixels[at] = 0xff000000 | (b << 16) | (g << 8) | r;
    }
    return pixels;
  }

  return {painted, map, counts};
})();

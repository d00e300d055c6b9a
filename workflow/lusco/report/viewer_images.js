"use strict";
// The viewer's images: they come from LuscoViewer.add, in scripts that are part of the page or lie beside it.
const LuscoViewer = (() => {
  const images = new Map();
  const waiting = new Map();
  let decoded;  // the one image whose layers are unpacked: of a large one they take tens of megabytes

  function add(list) {
    for (const one of list) {
      images.set(one.key, one);
      waiting.get(one.key)?.();
    }
  }

  // An image, from the page or from the file beside it, with its layers decoded.
  async function load(key, file) {
    if (!images.has(key)) {
      await new Promise((done, failed) => {
        waiting.set(key, done);
        const script = document.createElement("script");
        script.src = file;
        script.onerror = () => failed(new Error(`${script.src} is missing: keep the folder viewer beside the report`));
        document.head.append(script);
      });
    }
    if (decoded?.key === key) return decoded;
    const packed = images.get(key);
    const all = (layers) => layers && Promise.all(layers.map((one) => values(one.png ?? one)));
    const [measured, recoloured, truth, chances, given] = await Promise.all(
      [packed.measured, packed.recoloured, packed.truth, packed.chances, packed.certainty && [packed.certainty]].map(all));
    const certainty = given ? given[0] : highest(chances);
    decoded = {...packed, codes: {measured, recoloured, truth, chances, certainty, novelty: novelty(packed)}};
    return decoded;
  }

  async function values(png) {
    const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.drawImage(bitmap, 0, 0);
    const rgba = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    const grey = new Uint8Array(rgba.length / 4);
    for (let at = 0; at < grey.length; at++) grey[at] = rgba[4 * at];
    return grey;
  }

  function highest(layers) {
    const all = layers[0].slice();
    for (const layer of layers) {
      for (let at = 0; at < all.length; at++) all[at] = Math.max(all[at], layer[at]);
    }
    return all;
  }

  // The novelty of each pixel's region, of regions that overlap the highest; -1 where none could be judged.
  function novelty({rows, columns, pixel_nm: pixel, regions}) {
    const all = new Float32Array(rows * columns).fill(-1);
    for (const region of regions) {
      const within = (from, most) => [from, from + region.side_nm].map((nm) => Math.min(most, Math.round(nm / pixel)));
      const [left, right] = within(region.x_nm, columns), [top, bottom] = within(region.y_nm, rows);
      for (let row = top; row < bottom; row++) {
        for (let at = row * columns + left; at < row * columns + right; at++) all[at] = Math.max(all[at], region.novelty);
      }
    }
    return all;
  }

  return {add, load};
})();

"use strict";
// The report's viewer: Bokeh draws, pans, zooms and keeps the scale bar true; this file mixes the colours.
// Images come from LuscoViewer.add, in scripts that are part of the page or lie beside it.
const LuscoViewer = (() => {
  const GAMMA = 0.6;                       // as in the figures: lifts single localizations out of the black
  const CODES = 255;                       // a code v of a layer stands for peak * (v / 255)^2 counts
  const SURE = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];  // viridis
  const images = new Map();
  const waiting = new Map();
  const $ = (id) => document.getElementById(id);
  let page, plot, source, regions, divider, image, sides, wanted;

  function add(list) {
    for (const one of list) {
      images.set(one.key, one);
      waiting.get(one.key)?.();
    }
  }

  // An image, from the page or from the file beside it, with its layers decoded.
  async function load(key) {
    if (!images.has(key)) {
      await new Promise((done, failed) => {
        waiting.set(key, done);
        const script = document.createElement("script");
        script.src = page.images.find((one) => one.key === key).file;
        script.onerror = () => failed(new Error(`${script.src} is missing: keep the folder viewer beside the report`));
        document.head.append(script);
      });
    }
    const loaded = images.get(key);
    if (!loaded.codes) {
      const layers = ["measured", "recoloured", "truth"].filter((kind) => loaded[kind]);
      const decoded = await Promise.all(layers.map((kind) => Promise.all(loaded[kind].map((one) => codes(one.png)))));
      loaded.codes = Object.fromEntries(layers.map((kind, index) => [kind, decoded[index]]));
      loaded.codes.certainty = await codes(loaded.certainty);
    }
    return loaded;
  }

  async function codes(png) {
    const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.drawImage(bitmap, 0, 0);
    const rgba = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    return Uint8Array.from({length: rgba.length / 4}, (_, index) => rgba[4 * index]);
  }

  // What the controls say: for each structure its colour and brightness, 0 where it is switched off.
  function chosen() {
    return page.structures.map((_, index) => ({
      colour: [1, 3, 5].map((at) => parseInt($(`colour-${index}`).value.slice(at, at + 2), 16)),
      gain: $(`show-${index}`).checked ? Number($(`gain-${index}`).value) : 0,
    }));
  }

  function brightness(layer, gain) {
    return Float32Array.from({length: CODES + 1}, (_, code) =>
      Math.min(1, (layer.peak * (code / CODES) ** 2 * gain) / layer.full) ** GAMMA);
  }

  // An image in one of the four ways as pixels for the screen, of which what is less certain than asked for is left black.
  function painted(kind) {
    const size = image.rows * image.columns;
    const pixels = new Uint32Array(size).fill(0xff000000);
    const certainty = image.codes.certainty;
    const least = Number($("certain").value) * CODES;
    const red = new Float32Array(size), green = new Float32Array(size), blue = new Float32Array(size);
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
    if (kind === "certainty") {
      const shade = brightness(image.measured[0], 4);
      const measured = image.codes.measured[0];
      for (let at = 0; at < size; at++) {
        if (certainty[at] > 0) {
          const colour = between(certainty[at] / CODES);
          const light = 0.4 + 0.6 * shade[measured[at]];
          red[at] = light * colour[0];
          green[at] = light * colour[1];
          blue[at] = light * colour[2];
        }
      }
    } else if (kind === "measured") {
      paint(image.codes.measured[0], brightness(image.measured[0], Number($("gain").value)), [255, 255, 255]);
    } else {
      chosen().forEach(({colour, gain}, index) => {
        if (gain > 0) paint(image.codes[kind][index], brightness(image[kind][index], gain), colour);
      });
    }
    const hides = kind === "recoloured" || kind === "certainty";
    for (let at = 0; at < size; at++) {
      if (hides && certainty[at] < least) continue;
      const [r, g, b] = [red[at], green[at], blue[at]].map((value) => Math.min(255, value));
      pixels[at] = 0xff000000 | (b << 16) | (g << 8) | r;
    }
    return pixels;
  }

  function between(fraction) {
    const place = Math.max(0, Math.min(1, (fraction - 1 / page.structures.length) / (1 - 1 / page.structures.length)));
    const step = Math.min(SURE.length - 2, Math.floor(place * (SURE.length - 1)));
    const part = place * (SURE.length - 1) - step;
    return SURE[step].map((value, index) => value + part * (SURE[step + 1][index] - value));
  }

  const width = () => image.columns * image.pixel_nm;
  const height = () => image.rows * image.pixel_nm;

  // Both sides anew; `divide` only moves the border between them.
  function mix() {
    if (!image) return;
    $("certain-is").textContent = `${Math.round(100 * $("certain").value)} %`;
    sides = [painted($("left").value), painted($("right").value)];
    divide();
  }

  function divide() {
    if (!image) return;
    const share = Number($("swipe").value) / 100;
    const column = Math.round(share * image.columns);
    const pixels = sides[1].slice();
    for (let row = 0; row < image.rows; row++) {
      const start = row * image.columns;
      pixels.set(sides[0].subarray(start, start + column), start);
    }
    const {Uint32NDArray} = Bokeh.require("core/util/ndarray");
    const data = new Uint32NDArray(pixels, [image.rows, image.columns]);
    source.data = {image: [data], x: [0], y: [0], dw: [width()], dh: [height()]};
    divider.location = share * width();
    divider.visible = share > 0 && share < 1;
    tell();
  }

  function fit() {
    if (!image) return;
    // as much around an image as its frame is wider or taller, so that a pixel stays a square
    const frame = $("plot").clientWidth / plot.height;
    const [w, h] = width() / height() > frame ? [width(), width() / frame] : [height() * frame, height()];
    look((width() - w) / 2, (width() + w) / 2, (height() - h) / 2, (height() + h) / 2);
  }

  // A pixel stays a square when the window gets wider.
  function reshape() {
    if (!$("plot").clientWidth) return;  // not shown at all
    const {start: x0, end: x1} = plot.x_range, {start: y1, end: y0} = plot.y_range;
    const half = ((x1 - x0) * plot.height) / $("plot").clientWidth / 2;
    look(x0, x1, (y0 + y1) / 2 - half, (y0 + y1) / 2 + half);
  }

  function look(x0, x1, y0, y1) {
    plot.x_range.setv({start: x0, end: x1});
    plot.y_range.setv({start: y1, end: y0});  // y grows downwards
    tell();
  }

  // For whoever drives the viewer from outside.
  function tell() {
    const {start: x0, end: x1} = plot.x_range, {start: y1, end: y0} = plot.y_range;
    const mixed = [image.key, $("left").value, $("right").value, $("swipe").value];
    Object.assign($("viewer").dataset, {shown: mixed.join(" "), view: [x0, x1, y0, y1].join(" ")});
  }

  function move(right, down, scale) {
    if (!image) return;
    const {start: x0, end: x1} = plot.x_range, {start: y1, end: y0} = plot.y_range;
    const x = (x0 + x1) / 2 + right * (x1 - x0), y = (y0 + y1) / 2 + down * (y1 - y0);
    const [w, h] = [((x1 - x0) * scale) / 2, ((y1 - y0) * scale) / 2];
    look(x - w, x + w, y - h, y + h);
  }

  const KEYS = {
    ArrowLeft: [-0.2, 0, 1], ArrowRight: [0.2, 0, 1], ArrowUp: [0, -0.2, 1], ArrowDown: [0, 0.2, 1],
    "+": [0, 0, 1 / 1.5], "=": [0, 0, 1 / 1.5], "-": [0, 0, 1.5],
  };

  async function show(key) {
    wanted = key;
    $("image").value = key;
    let loaded;
    try {
      loaded = await load(key);
    } catch (error) {
      $("pointed").textContent = error.message;
      return;
    }
    if (wanted !== key) return;  // another was asked for meanwhile
    image = loaded;
    for (const side of ["left", "right"]) {
      for (const option of $(side).options) option.disabled = option.value === "truth" && !image.truth;
      if ($(side).selectedOptions[0].disabled) $(side).value = "recoloured";
    }
    const of = (name) => image.regions.map((region) => region[name]);
    const half = image.regions.map((region) => region.side_nm / 2);
    regions.data_source.data = {
      x: of("x_nm").map((x, index) => x + half[index]),
      y: of("y_nm").map((y, index) => y + half[index]),
      side: of("side_nm"),
      line: image.regions.map((region) => (region.unfamiliar ? 0.9 : 0)),
    };
    mix();
    fit();
    point();
  }

  // The place under the mouse in words.
  function point(x, y) {
    if (!image) return;
    const column = Math.floor(x / image.pixel_nm), row = Math.floor(y / image.pixel_nm);
    if (!(column >= 0 && column < image.columns && row >= 0 && row < image.rows)) {
      const size = `${(width() / 1000).toFixed(1)} × ${(height() / 1000).toFixed(1)} µm`;
      const flagged = image.regions.filter((region) => region.unfamiliar).length;
      const regions = `${flagged} of ${image.regions.length} regions unlike what the model knows`;
      $("pointed").textContent = `${size}, ${image.regions.length ? regions : "too small or too empty to judge"}`;
      return;
    }
    const at = row * image.columns + column;
    const counts = (layer, values) => Number((layer.peak * (values[at] / CODES) ** 2).toPrecision(2));
    const parts = image.structures.map((_, index) =>
      `${page.structures[index]} ${counts(image.recoloured[index], image.codes.recoloured[index])}`);
    const sure = image.codes.certainty[at];
    const inside = image.regions.filter((region) => x >= region.x_nm && x < region.x_nm + region.side_nm &&
      y >= region.y_nm && y < region.y_nm + region.side_nm);
    const strange = inside.length ? `, novelty ${Math.max(...inside.map((region) => region.novelty)).toFixed(2)}` : "";
    $("pointed").textContent = `x ${(x / 1000).toFixed(2)}, y ${(y / 1000).toFixed(2)} µm: measured ` +
      `${counts(image.measured[0], image.codes.measured[0])}, ${parts.join(", ")}` +
      (sure ? `, certainty ${Math.round((100 * sure) / CODES)} %` : "") + strange;
  }

  function save() {
    if (!image) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.columns, image.rows];
    const pixels = new Uint8ClampedArray(source.data.image[0].buffer.slice(0));
    canvas.getContext("2d").putImageData(new ImageData(pixels, image.columns, image.rows), 0, 0);
    const link = document.createElement("a");
    link.href = canvas.toDataURL("image/png");
    link.download = `${image.key.replace("/", "_")}_${$("right").value}.png`;
    link.click();
  }

  function makePlot() {
    plot = Bokeh.Plotting.figure({
      sizing_mode: "stretch_width", height: Math.round(Math.min(0.72 * window.innerHeight, $("plot").clientWidth)),
      toolbar_location: null, tools: [],
      x_range: new Bokeh.Range1d({start: 0, end: 1}), y_range: new Bokeh.Range1d({start: 1, end: 0}),
      background_fill_color: "black", border_fill_color: "black", outline_line_color: null, min_border: 0,
    });
    for (const axis of [...plot.below, ...plot.left]) axis.visible = false;
    plot.xgrid.visible = plot.ygrid.visible = false;
    // with the control key, or by pinching: a page must scroll on where a wheel passes over an image
    const wheel = new Bokeh.WheelZoomTool({modifiers: {ctrl: true}});
    plot.add_tools(new Bokeh.PanTool(), wheel);
    plot.toolbar.active_scroll = wheel;
    source = new Bokeh.ColumnDataSource({data: {image: [], x: [], y: [], dw: [], dh: []}});
    plot.image_rgba({field: "image"}, {field: "x"}, {field: "y"}, {field: "dw"}, {field: "dh"}, {source});
    const places = new Bokeh.ColumnDataSource({data: {x: [], y: [], side: [], line: []}});
    regions = plot.rect({field: "x"}, {field: "y"}, {field: "side"}, {field: "side"}, {
      source: places, fill_alpha: 0, line_color: "#FF5A4F", line_alpha: {field: "line"}, line_dash: "dashed", line_width: 1.5,
    });
    divider = new Bokeh.Span({dimension: "height", location: 0, line_color: "white", line_width: 2, editable: true});
    plot.add_layout(divider);
    plot.add_layout(new Bokeh.ScaleBar({
      range: plot.x_range, unit: "nm", location: "bottom_left", background_fill_color: "black", background_fill_alpha: 0.6,
      border_line_color: null, bar_line_color: "white", label_text_color: "white", bar_line_width: 3, margin: 12,
      bar_length: 0.12,
    }));
    divider.properties.location.change.connect(() => {
      const share = Math.round(Math.max(0, Math.min(100, (100 * divider.location) / width())));
      if (Math.abs(share - Number($("swipe").value)) >= 1) {
        $("swipe").value = share;
        divide();
      }
    });
    plot.x_range.properties.start.change.connect(() => image && tell());
    return plot;
  }

  // Each composite and structure as a point that leads to its image.
  function makePoints() {
    const points = page.points;
    if (!points.length) return;
    const names = page.structures;
    const scatter = Bokeh.Plotting.figure({
      sizing_mode: "stretch_width", height: 300, toolbar_location: null, tools: "tap",
      x_range: new Bokeh.FactorRange({factors: names}), y_axis_label: "gap closed, 1 − SSIM",
    });
    const data = new Bokeh.ColumnDataSource({data: {
      // spread out by a fixed rule, so that points of one value lie beside each other
      x: points.map((one, index) => [one.structure, 0.5 * (((index * 0.618) % 1) - 0.5)]),
      y: points.map((one) => one.gap_closed),
      colour: points.map((one) => page.on_white[names.indexOf(one.structure)]),
      composite: points.map((one) => one.composite),
    }});
    scatter.scatter({field: "x"}, {field: "y"}, {
      source: data, size: 9, fill_color: {field: "colour"}, line_color: "white", fill_alpha: 0.85,
    });
    scatter.left[0].axis_label_text_font_style = "normal";
    scatter.add_tools(new Bokeh.HoverTool({tooltips: [["", "@composite"], ["gap closed", "@y{0.00}"]]}));
    data.selected.properties.indices.change.connect(() => {
      const [first] = data.selected.indices;
      if (first !== undefined) open(`composite/${points[first].composite}`);
    });
    return Bokeh.Plotting.show(scatter, $("points"));
  }

  function open(key) {
    show(key);
    $("viewer").scrollIntoView({behavior: "smooth", block: "start"});
    $("plot").focus({preventScroll: true});
  }

  async function start() {
    page = JSON.parse($("viewer-page").textContent);
    if (!page.images.length) return;
    await Bokeh.Plotting.show(makePlot(), $("plot"));
    await makePoints();
    $("image").addEventListener("change", () => show($("image").value));
    for (const [id, step] of [["previous", -1], ["next", 1]]) {
      $(id).addEventListener("click", () => {
        const place = page.images.findIndex((one) => one.key === wanted) + step;
        show(page.images[(place + page.images.length) % page.images.length].key);
      });
    }
    new ResizeObserver(() => image && reshape()).observe($("plot"));
    $("swipe").addEventListener("input", divide);
    for (const control of document.querySelectorAll("#viewer .mixes")) control.addEventListener("input", mix);
    $("unfamiliar").addEventListener("input", () => (regions.visible = $("unfamiliar").checked));
    $("fit").addEventListener("click", fit);
    $("closer").addEventListener("click", () => move(...KEYS["+"]));
    $("further").addEventListener("click", () => move(...KEYS["-"]));
    $("save").addEventListener("click", save);
    $("plot").addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "0") fit();
      else if (KEYS[event.key]) move(...KEYS[event.key]);
      else return;
      event.preventDefault();
    });
    $("plot").addEventListener("mousemove", (event) => {
      const box = $("plot").getBoundingClientRect();
      const {start: x0, end: x1} = plot.x_range, {start: y1, end: y0} = plot.y_range;
      point(x0 + ((event.clientX - box.left) / box.width) * (x1 - x0), y0 + ((event.clientY - box.top) / box.height) * (y1 - y0));
    });
    $("plot").addEventListener("mouseleave", () => point());
    for (const link of document.querySelectorAll("[data-image]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        open(link.dataset.image);
      });
    }
    await show(page.images[0].key);
  }

  document.addEventListener("DOMContentLoaded", () => {
    if ($("viewer-page")) start();
  });
  return {add};
})();

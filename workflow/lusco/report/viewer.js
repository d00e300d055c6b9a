"use strict";
// The report's viewer: Bokeh draws, pans, zooms and keeps the scale bar true; this file joins it to the controls.
(() => {
  const $ = (id) => document.getElementById(id);
  let page, plot, source, regions, divider, image, sides, shown, wanted;
  let share = 0.5;  // of what is in view of the image, that lies left of the border

  // What the controls say: for each structure its colour and brightness, 0 where it is switched off.
  function chosen() {
    return {
      gain: Number($("gain").value),
      least: Number($("certain").value),
      structures: page.structures.map((_, index) => ({
        colour: [1, 3, 5].map((at) => parseInt($(`colour-${index}`).value.slice(at, at + 2), 16)),
        gain: $(`show-${index}`).checked ? Number($(`gain-${index}`).value) : 0,
      })),
    };
  }

  const width = () => image.columns * image.pixel_nm;
  const height = () => image.rows * image.pixel_nm;

  // Both sides anew; `divide` only moves the border between them.
  function mix() {
    if (!image) return;
    $("certain-is").textContent = `${Math.round(100 * $("certain").value)} %`;
    const kinds = ["left", "right"].map((side) => $(side).value);
    sides = kinds.map((kind) => LuscoViewer.paint.painted(image, kind, chosen(), page.structures));
    explain(kinds);
    divide();
  }

  // The scale of each map that is shown.
  function explain(kinds) {
    const scales = [...new Set(kinds)].map((kind) => LuscoViewer.paint.map(kind, image, page.structures)).filter(Boolean);
    $("scales").replaceChildren(...scales.map(({title, ends, stops}) => {
      const scale = document.createElement("span"), bar = document.createElement("i");
      bar.style.background = `linear-gradient(to right, ${stops.map((stop) => `rgb(${stop})`)})`;
      scale.append(`${title}: ${ends[0]} `, bar, ` ${ends[1]}`);
      return scale;
    }));
  }

  // What is in view of the image, from left to right in nm; all of it if none is.
  function inView() {
    const ends = [Math.max(0, plot.x_range.start), Math.min(width(), plot.x_range.end)];
    return ends[0] < ends[1] ? ends : [0, width()];
  }

  // The border is never out of sight, whatever moves behind it.
  function divide() {
    if (!image) return;
    const [from, to] = inView();
    const border = from + share * (to - from);
    divider.location = border;
    divider.visible = share > 0 && share < 1;
    const column = Math.max(0, Math.min(image.columns, Math.round(border / image.pixel_nm)));
    if (shown?.sides === sides && shown.column === column) return tell();  // nothing but the view has moved
    shown = {sides, column};
    const pixels = sides[1].slice();
    for (let row = 0; row < image.rows; row++) {
      const start = row * image.columns;
      pixels.set(sides[0].subarray(start, start + column), start);
    }
    const {Uint32NDArray} = Bokeh.require("core/util/ndarray");
    const data = new Uint32NDArray(pixels, [image.rows, image.columns]);
    source.data = {image: [data], x: [0], y: [0], dw: [width()], dh: [height()]};
    tell();
  }

  function swipe(to) {
    share = Math.max(0, Math.min(1, to));
    $("swipe").value = Math.round(100 * share);
    divide();
  }

  let planned;
  function moved() {
    tell();
    planned ??= requestAnimationFrame(() => {
      planned = undefined;
      divide();
    });
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
    moved();
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
      loaded = await LuscoViewer.load(key, page.images.find((one) => one.key === key).file);
    } catch (error) {
      $("pointed").textContent = error.message;
      return;
    }
    if (wanted !== key) return;  // another was asked for meanwhile
    image = loaded;
    for (const side of ["left", "right"]) {
      for (const option of $(side).options) {
        option.disabled = (option.value === "truth" && !image.truth) || (option.value === "novelty" && !image.regions.length);
      }
      if ($(side).selectedOptions[0].disabled) $(side).value = "recoloured";
    }
    const of = (name) => image.regions.map((region) => region[name]);
    const half = image.regions.map((region) => region.side_nm / 2);
    regions.data_source.data = {
      x: of("x_nm").map((x, index) => x + half[index]),
      y: of("y_nm").map((y, index) => y + half[index]),
      side: of("side_nm").map((side) => 0.97 * side),  // so that the dashes of neighbours do not run together
      line: image.regions.map((region) => (region.unfamiliar ? 0.9 : 0)),
    };
    fit();
    mix();
    point();
  }

  // The place under the mouse in words.
  function point(x, y) {
    if (!image) return;
    const column = Math.floor(x / image.pixel_nm), row = Math.floor(y / image.pixel_nm);
    if (!(column >= 0 && column < image.columns && row >= 0 && row < image.rows)) {
      const binned = image.pixel_nm > image.measured_nm;
      const size = `${(width() / 1000).toFixed(1)} × ${(height() / 1000).toFixed(1)} µm, shown at ` +
        `${Number(image.pixel_nm.toPrecision(3))} nm per pixel` +
        (binned ? ` (binned from ${Number(image.measured_nm.toPrecision(3))} nm; the file in recolored/ has every pixel)` : "");
      const flagged = image.regions.filter((region) => region.unfamiliar).length;
      const regions = `${flagged} of ${image.regions.length} regions unlike what the model knows`;
      $("pointed").textContent = `${size}, ${image.regions.length ? regions : "too small or too empty to judge"}`;
      return;
    }
    const at = row * image.columns + column;
    const counts = (layer, values) => Number(LuscoViewer.paint.counts(layer, values[at]).toPrecision(2));
    const parts = image.structures.map((_, index) =>
      `${page.structures[index]} ${counts(image.recoloured[index], image.codes.recoloured[index])}` +
      (image.codes.certainty[at] ? ` (${image.codes.chances[index][at]} %)` : ""));
    const sure = image.codes.certainty[at];
    const inside = image.regions.filter((region) => x >= region.x_nm && x < region.x_nm + region.side_nm &&
      y >= region.y_nm && y < region.y_nm + region.side_nm);
    const strangest = inside.reduce((a, b) => (a && a.novelty >= b.novelty ? a : b), null);
    const why = strangest && strangest.differs_by ? ` (${strangest.differs_by})` : "";
    const strange = strangest ? `, novelty ${strangest.novelty.toFixed(2)}${why}` : "";
    $("pointed").textContent = `x ${(x / 1000).toFixed(2)}, y ${(y / 1000).toFixed(2)} µm: measured ` +
      `${counts(image.measured[0], image.codes.measured[0])}, ${parts.join(", ")}` +
      (sure ? `, certainty ${sure} %` : "") + strange;
  }

  // The whole image as it is mixed, the border where it lies in the image, with a scale bar.
  function save() {
    if (!image) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.columns, image.rows];
    const context = canvas.getContext("2d");
    const pixels = new Uint8ClampedArray(source.data.image[0].buffer.slice(0));
    context.putImageData(new ImageData(pixels, image.columns, image.rows), 0, 0);
    drawBar(context);
    const kinds = [share > 0 ? $("left").value : "", share < 1 ? $("right").value : ""].filter(Boolean);
    const named = kinds.map((kind) => kind.replace(/^chance-(\d+)$/, (_, index) => `probability-${image.structures[index]}`));
    LuscoViewer.download(canvas.toDataURL("image/png"), `${image.key.replace("/", "_")}_${[...new Set(named)].join("_")}.png`);
  }

  // The longest of 1, 2, 5 x 10^k nm that fits a quarter of the width, at the lower left.
  function drawBar(context) {
    const most = width() / 4, power = 10 ** Math.floor(Math.log10(most));
    const nm = power * Math.max(...[1, 2, 5].filter((step) => step * power <= most));
    const thick = Math.max(2, Math.round(image.rows / 120)), margin = 3 * thick;
    const [x, y, length] = [margin, image.rows - margin - thick, nm / image.pixel_nm];
    context.font = `${Math.max(10, 4 * thick)}px sans-serif`;
    Object.assign(context, {textAlign: "left", textBaseline: "bottom", lineWidth: 3, strokeStyle: "black", fillStyle: "black"});
    context.fillRect(x - 1, y - 1, length + 2, thick + 2);
    const text = nm >= 1000 ? `${nm / 1000} µm` : `${nm} nm`;
    context.strokeText(text, x, y - 2);
    context.fillStyle = "white";
    context.fillRect(x, y, length, thick);
    context.fillText(text, x, y - 2);
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
      if (!image) return;
      const [from, to] = inView();
      const drawn = (divider.location - from) / (to - from);
      if (Math.abs(drawn - share) > 0.001) swipe(drawn);
    });
    plot.x_range.properties.start.change.connect(() => image && moved());
    plot.y_range.properties.start.change.connect(() => image && tell());
    return plot;
  }

  function open(key) {
    show(key);
    $("viewer").scrollIntoView({behavior: "smooth", block: "start"});
    $("plot").focus({preventScroll: true});
  }

  async function start() {
    page = JSON.parse($("viewer-page").textContent);
    if (!page.images.length) return;
    share = $("swipe").value / 100;  // a browser may keep it when a page is loaded again
    await Bokeh.Plotting.show(makePlot(), $("plot"));
    await LuscoViewer.points(page, open);
    $("image").addEventListener("change", () => show($("image").value));
    for (const [id, step] of [["previous", -1], ["next", 1]]) {
      $(id).addEventListener("click", () => {
        const place = page.images.findIndex((one) => one.key === wanted) + step;
        show(page.images[(place + page.images.length) % page.images.length].key);
      });
    }
    new ResizeObserver(() => image && reshape()).observe($("plot"));
    $("swipe").addEventListener("input", () => swipe($("swipe").value / 100));
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
})();

"use strict";
// Each composite and structure as a point that leads to its image, by a click or from the keyboard.
LuscoViewer.points = async (page, open) => {
  const place = document.getElementById("points");
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
  let keyed = false;
  data.selected.properties.indices.change.connect(() => {
    const [first] = data.selected.indices;
    if (first === undefined) return;
    const {composite, structure, gap_closed: gap} = points[first];
    document.getElementById("chosen-point").textContent =
      `${composite}, ${structure}: gap closed ${gap.toFixed(2)}${keyed ? "; Enter shows it in the viewer" : ""}`;
    if (!keyed) open(`composite/${composite}`);
  });
  // from the worst to the best, structure by structure, as they stand from the left and from below
  const order = points.map((_, index) => index).sort((a, b) =>
    names.indexOf(points[a].structure) - names.indexOf(points[b].structure) || points[a].gap_closed - points[b].gap_closed);
  place.addEventListener("keydown", (event) => {
    const step = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1}[event.key];
    const [now] = data.selected.indices;
    if (step) {
      keyed = true;
      const next = now === undefined ? (step > 0 ? 0 : order.length - 1) : order.indexOf(now) + step;
      data.selected.indices = [order[(next + order.length) % order.length]];
      keyed = false;
    } else if (event.key === "Enter" && now !== undefined) {
      open(`composite/${points[now].composite}`);
    } else return;
    event.preventDefault();
  });
  await Bokeh.Plotting.show(scatter, place);
};

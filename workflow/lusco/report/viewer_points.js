"use strict";
LuscoViewer.download = (address, name) => Object.assign(document.createElement("a"), {href: address, download: name}).click();

// Each composite and structure as a point that leads to its image, by a click or from the keyboard.
LuscoViewer.points = async (page, open) => {
  const place = document.getElementById("points");
  const points = page.points;
  if (!points.length) return;
  const names = page.structures;
  const measure = document.getElementById("measure");
  const gap = (one) => one.gap_closed[measure.value];
  const label = () => `gap closed, ${measure.selectedOptions[0].textContent}`;
  const scatter = Bokeh.Plotting.figure({
    sizing_mode: "stretch_width", height: 300, toolbar_location: null, tools: "tap",
    x_range: new Bokeh.FactorRange({factors: names}), y_axis_label: label(),
  });
  const data = new Bokeh.ColumnDataSource({data: {
    // spread out by a fixed rule, so that points of one value lie beside each other
    x: points.map((one, index) => [one.structure, 0.5 * (((index * 0.618) % 1) - 0.5)]),
    y: points.map(gap),
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
    const {composite, structure} = points[first];
    document.getElementById("chosen-point").textContent =
      `${composite}, ${structure}: ${label()} ${gap(points[first])?.toFixed(2) ?? "not measured"}${keyed ? "; Enter shows it in the viewer" : ""}`;
    if (!keyed) open(`composite/${composite}`);
  });
  measure.addEventListener("change", () => {
    data.data = {...data.data, y: points.map(gap)};
    scatter.left[0].axis_label = label();
  });
  // from the worst to the best, structure by structure, as they stand from the left and from below
  const ordered = () => points.map((_, index) => index).sort((a, b) =>
    names.indexOf(points[a].structure) - names.indexOf(points[b].structure) || gap(points[a]) - gap(points[b]));
  place.addEventListener("keydown", (event) => {
    const step = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1}[event.key];
    const [now] = data.selected.indices;
    if (step) {
      const order = ordered();
      keyed = true;
      const next = now === undefined ? (step > 0 ? 0 : order.length - 1) : order.indexOf(now) + step;
      data.selected.indices = [order[(next + order.length) % order.length]];
      keyed = false;
    } else if (event.key === "Enter" && now !== undefined) {
      open(`composite/${points[now].composite}`);
    } else return;
    event.preventDefault();
  });
  const view = await Bokeh.Plotting.show(scatter, place);
  const save = (blob, end) => {
    const address = URL.createObjectURL(blob);
    LuscoViewer.download(address, `composites.${end}`);
    setTimeout(() => URL.revokeObjectURL(address), 60000);  // by then it is read
  };
  document.getElementById("points-svg").addEventListener("click", async () => save(await view.export("svg").to_blob(), "svg"));
  document.getElementById("points-csv").addEventListener("click", () => {
    const distances = Object.keys(points[0].gap_closed);
    const rows = [["composite", "structure", ...distances.map((name) => `gap_closed_${name}`)]];
    for (const {composite, structure, gap_closed} of points) {
      rows.push([composite, structure, ...distances.map((name) => gap_closed[name] ?? "")]);
    }
    const lines = rows.map((row) => row.map((value) => `"${String(value).replaceAll('"', '""')}"`).join(","));
    save(new Blob([lines.join("\n") + "\n"], {type: "text/csv"}), "csv");
  });
};

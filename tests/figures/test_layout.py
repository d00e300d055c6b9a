"""Figures: no label covers another, names stay text, and the same data give the same bytes."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from made_up import LONG, distances_of, draw_all, history_of, images_of
from matplotlib.backends.backend_agg import FigureCanvasAgg

from lusco import figures
from lusco.figures.style import settle


@pytest.mark.parametrize(("structures", "models"), [(LONG, ("unet",)), (LONG[:2], ("unet", "regression_head"))])
def test_no_label_covers_another(structures, models):
    for name, (figure, table) in draw_all(structures, models):
        assert len(table)
        texts, boxes = labels(figure)
        (x0, y0, x1, y1), allowed = boxes.T, 2  # pixels
        wide = np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0) > allowed
        high = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0) > allowed
        covering = [(texts[i], texts[j]) for i, j in np.argwhere(np.triu(wide & high, 1))]
        assert covering == [], name
        inside = (x0 > -allowed) & (y0 > -allowed) & (x1 < figure.bbox.x1 + allowed) & (y1 < figure.bbox.y1 + allowed)
        assert [text for text, fits in zip(texts, inside, strict=True) if not fits] == [], name


def labels(figure):
    """Texts of a figure that are seen, and their boxes: shape (texts, 4), x0, y0, x1, y1 in pixels."""
    settle(figure)
    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()
    hidden = set(unseen_ticks(figure))
    texts = [text for text in figure.findobj(mpl.text.Text) if text.get_text().strip() and text.get_visible()]
    texts = [text for text in texts if text not in hidden and (text.axes is None or text.axes.get_visible())]
    return [text.get_text() for text in texts], np.array([text.get_window_extent(renderer).extents for text in texts])


def unseen_ticks(figure):
    """Labels of ticks beyond the limits of their axis or on hidden axes, which matplotlib keeps but does not draw."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not (axes.get_visible() and low <= tick.get_loc() <= high):
                    yield from (tick.label1, tick.label2)


def test_the_same_data_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        figures.save(*figures.distances(distances_of(["tubes"])), tmp_path / folder, "distances")
        composite, prediction, truth = images_of(2)
        example = [("c1", composite, prediction, truth)]
        drawing = figures.examples(example, ["tubes", "pores"], 20.0, {"tubes": 1.0, "pores": 1.0})
        figures.save(*drawing, tmp_path / folder, "examples")
    written = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert written == [f"{name}.{kind}" for name in ("distances", "examples") for kind in ("csv", "png", "svg")]
    for name in written:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_names_are_text_and_never_markup(tmp_path):
    figures.save(*figures.loss(history_of(("<script>$x_1$", "b"))), tmp_path, "loss")
    assert "<script>" not in (tmp_path / "loss.svg").read_text(encoding="utf-8")


def test_settings_of_the_user_change_nothing(tmp_path):
    figures.save(*figures.loss(history_of()), tmp_path, "plain")
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "savefig.dpi": 20}):
        figures.save(*figures.loss(history_of()), tmp_path, "own")
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "own.png").read_bytes()


def test_figures_and_report_do_not_load_torch():
    code = "import sys, lusco.figures, lusco.report; sys.exit(bool({'torch', 'matplotlib.pyplot'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

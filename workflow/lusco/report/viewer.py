"""What the viewer is told: its images, part of the page as far as there is room, and the points that lead to them."""

import os
from collections.abc import Mapping
from typing import Any

from bokeh.resources import Resources

from lusco.colours import ON_WHITE, SAFE, on_black
from lusco.figures.style import shown
from lusco.report import failures
from lusco.report.content import COMPOSITES, ReportContent
from lusco.whole import check_end

DISTANCES = {"dssim": "1 \N{MINUS SIGN} SSIM", "mse": "squared error"}
EMBEDDED_BYTES = 25_000_000  # images that are part of the page; the others lie beside it, which then stays under 50 MB


def viewer(content: ReportContent) -> Mapping[str, Any] | None:
    """What the template needs for the viewer; None without images.

    Returns
    -------
    mapping or None
        `page`: what the viewer reads as JSON. `groups`: label, and key and title of its images. `known`: the keys of
        all. `layers`: the ways to show an image, and what to call them. `colours`: of the structures, of
        which the first `safe` stay apart for the colour-blind. `distances`: by which points may be shown. `scripts`:
        images that are part of the page. `bokeh`: the library. `beside`: how many files lie beside the page.
    """
    scripts, images = [], {}
    left = EMBEDDED_BYTES
    for name, path in content.viewer.items():
        if path.is_file():
            check_end(path)
            embedded = path.stat().st_size <= left
            if embedded:
                left -= path.stat().st_size
                scripts.append(path.read_text(encoding="utf-8"))
            images[name] = None if embedded else os.path.relpath(path, path.parents[1 if name == COMPOSITES else 2])
    if not images:
        return None
    composites = sorted(set(content.distances["composite"])) if COMPOSITES in images else []
    mixed = [name for name in images if name != COMPOSITES]
    groups = {
        "Mixed acquisitions": [(f"mixed/{name}", shown(name), images[name]) for name in mixed],
        "Test composites, truth known": [(f"composite/{name}", shown(name), images[COMPOSITES]) for name in composites],
    }
    page = {
        "structures": [shown(name) for name in content.structures],
        "on_white": [ON_WHITE[index % len(ON_WHITE)] for index in range(len(content.structures))],
        "images": [{"key": key, "file": file} for group in groups.values() for key, _, file in group],
        "points": _points(content) if composites else [],
    }
    layers = {"measured": "as measured", "recoloured": "recoloured", "truth": "true", "certainty": "certainty"}
    layers |= {f"chance-{index}": f"probability of {name}" for index, name in enumerate(page["structures"])}
    return {
        "page": page,
        "known": {image["key"] for image in page["images"]},
        "groups": {label: group for label, group in groups.items() if group},
        "layers": layers | {"novelty": "novelty of regions"},
        "colours": on_black(len(content.structures)),
        "safe": SAFE,
        "distances": DISTANCES,
        "scripts": scripts,
        "beside": sum(file is not None for file in images.values()),
        "bokeh": Resources(mode="inline", components=["bokeh", "bokeh-api"], log_level="error").js_raw,
    }


def _points(content: ReportContent) -> list[dict[str, Any]]:
    """A point for each channel of each test composite: by how much it closes the gap, for each distance."""
    rows = {}
    for distance in DISTANCES:
        for composite, structure, gap in failures.gaps(content, distance).itertuples(index=False):
            rows.setdefault((composite, structure), dict.fromkeys(DISTANCES))[distance] = gap
    return [
        {"composite": composite, "structure": shown(structure), "gap_closed": closed}
        for (composite, structure), closed in rows.items()
    ]

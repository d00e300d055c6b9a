"""The colours of structures, the same in figures and in files for other programs.

One hue per structure everywhere: bright on the black of images, where colours add, and darker on the white of plots.
The palette is the project's own, named after its first six hues: cyan, magenta, yellow, green, orange, indigo. They
were chosen and ordered by distance in CIELAB under simulated protan, deutan and tritan vision (Machado 2009).
"""

ON_BLACK = ("#00C8FF", "#FF46C8", "#FFE032", "#00AA5A", "#FF6414", "#5A6EFF", "#F2D3B8", "#A0A0A0")
ON_WHITE = ("#1C9FDB", "#CB2F93", "#DBA800", "#00694C", "#CC4400", "#2838B0", "#6E3B12", "#8A8A8A")
SAFE = 6  # so many of them can be told apart by whoever is colour-blind: no two are closer than `APART`
APART = 20.0  # in CIELAB; 2 are just noticed side by side


def on_black(number: int) -> tuple[str, ...]:
    """Return colours for so many structures on black, as `#RRGGBB`, in the order of the channels."""
    return tuple(ON_BLACK[index % len(ON_BLACK)] for index in range(number))

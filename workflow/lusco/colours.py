"""The colours of structures, the same in figures and in files for other programs.

One hue per structure everywhere: bright on the black of images, where colours add, and darker on the white of plots.
The order was chosen by distance in CIELAB under simulated protan, deutan and tritan vision (Machado 2009): no two of
the first four are closer than 20.
"""

ON_BLACK = ("#00C8FF", "#FF46C8", "#FFE032", "#00AA5A", "#FF6414", "#5A6EFF", "#F2D3B8", "#A0A0A0")
ON_WHITE = ("#1C9FDB", "#CB2F93", "#DBA800", "#00694C", "#CC4400", "#2838B0", "#6E3B12", "#8A8A8A")


def on_black(number: int) -> tuple[str, ...]:
    """Return colours for so many structures on black, as `#RRGGBB`, in the order of the channels."""
    return tuple(ON_BLACK[index % len(ON_BLACK)] for index in range(number))

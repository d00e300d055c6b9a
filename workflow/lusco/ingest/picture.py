"""Rendered images as acquisitions: every pixel that is not zero is a row at its centre, with a weight."""

import numpy as np

from lusco import image
from lusco.errors import Fault, InputError, raise_all
from lusco.files import refuse_claim
from lusco.ingest.raw import CORNER, Raw, Source, no_pixel_size, overruled

_BYTES_OF_A_ROW = 40  # of the table that an image becomes


def read_image(source: Source) -> Raw:
    """Read a TIFF or OME-TIFF of one plane; the pixel size of the sheet goes before the file's."""
    path = source.path
    content = image.read(path)
    channels, rows, columns = content.pixels.shape
    if channels != 1:
        raise InputError(Fault(path, f"the image has {channels} channels", "export the channel of the structure alone"))
    pixel_nm = source.pixel_nm or content.pixel_nm
    if pixel_nm is None:
        raise InputError(no_pixel_size(path))
    if content.pixels.dtype.kind not in "biuf":
        raise InputError(Fault(path, f"its pixels are of the type {content.pixels.dtype}", "export real numbers"))
    refuse_claim(np.count_nonzero(content.pixels) * _BYTES_OF_A_ROW, path)
    with np.errstate(over="ignore"):
        pixels = content.pixels[0].astype(np.float32)  # what is too large for it becomes infinite
    raise_all(_value_faults(source, pixels))
    row, column = np.nonzero(pixels)
    table = {
        "x_nm": (column + 0.5) * pixel_nm,
        "y_nm": (row + 0.5) * pixel_nm,
        "weight": pixels[row, column],
    }
    field_nm = (0.0, columns * pixel_nm, 0.0, rows * pixel_nm)
    return Raw(table, CORNER, field_nm, pixel_nm, notes=overruled(source, content.pixel_nm))


def _value_faults(source: Source, pixels: np.ndarray) -> list[Fault]:
    faults = []
    for bad, what in ((~np.isfinite(pixels), "are NaN or infinite"), (pixels < 0, "are negative")):
        if bad.any():
            row, column = np.argwhere(bad)[0]
            place = f"row {row + 1}, column {column + 1}"
            mend = "export counts or intensities without background subtraction"
            faults.append(Fault(source.path, f"{np.count_nonzero(bad)} pixels {what}, this the first", mend, place))
    return faults

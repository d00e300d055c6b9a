"""Images on disk: OME-TIFF with a physical pixel size and channel names, as Fiji and napari open them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from lusco.errors import Fault, InputError
from lusco.files import atomic

_TO_NM = {
    "m": 1e9,
    "cm": 1e7,
    "mm": 1e6,
    "µm": 1e3,
    "um": 1e3,
    "micron": 1e3,
    "nm": 1.0,
    "pm": 1e-3,
    "Å": 0.1,
}


@dataclass(frozen=True)
class Image:
    """An image of one or more channels.

    Parameters
    ----------
    pixels : numpy.ndarray
        Shape (channels, rows, columns).
    pixel_nm : float or None
        Pixel size in nm; None where the file does not say.
    channels : tuple of str
        Channel names; empty where the file does not say.
    """

    pixels: np.ndarray
    pixel_nm: float | None
    channels: tuple[str, ...] = ()


def write(image: Image, path: str | Path) -> None:
    """Write an OME-TIFF, atomically, tiled and compressed; the same image gives the same bytes.

    Parameters
    ----------
    image : Image
        Pixels of any real type, with a pixel size and a name per channel.
    path : str or Path
        File to write, ending in `.ome.tiff`.
    """
    metadata = {
        "axes": "CYX",
        "Channel": {"Name": list(image.channels)},
        "PhysicalSizeX": image.pixel_nm,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": image.pixel_nm,
        "PhysicalSizeYUnit": "nm",
    }
    with atomic(path) as partial:
        tifffile.imwrite(
            partial,
            image.pixels,
            ome=True,
            photometric="minisblack",
            tile=(256, 256),
            compression="zlib",
            predictor=image.pixels.dtype.kind != "f",
            resolution=(1e7 / image.pixel_nm, 1e7 / image.pixel_nm),
            resolutionunit="CENTIMETER",
            metadata=metadata,
        )


def read(path: str | Path) -> Image:
    """Read a TIFF or OME-TIFF of one plane, or of several channels.

    Raises
    ------
    InputError
        If the file is missing, truncated or no TIFF, or has more than two dimensions besides channels.
    """
    path = Path(path)
    try:
        with tifffile.TiffFile(path) as tiff:
            series = tiff.series[0]
            pixels, axes = series.asarray(), series.axes
            pixel_nm, channels = _physical_size(tiff)
    except FileNotFoundError:
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except Exception as error:  # tifffile and its codecs raise many types on damaged files
        raise InputError(
            Fault(
                path,
                f"the image cannot be read ({error})",
                "the file is damaged or is no TIFF; export it again",
            )
        ) from None
    if axes not in ("YX", "CYX"):
        raise InputError(
            Fault(
                path,
                f"the image has the dimensions {axes} with shape {pixels.shape}",
                "export one plane, or one plane with channels",
            )
        )
    return Image(pixels if pixels.ndim == 3 else pixels[None], pixel_nm, channels)


def _physical_size(tiff: tifffile.TiffFile) -> tuple[float | None, tuple[str, ...]]:
    """Pixel size in nm and channel names from OME-XML, ImageJ tags or the resolution tags."""
    if tiff.ome_metadata:
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
        pixels = (pixels[0] if isinstance(pixels, list) else pixels)["Pixels"]
        channels = pixels.get("Channel", [])
        channels = channels if isinstance(channels, list) else [channels]
        names = tuple(str(channel.get("Name", "")) for channel in channels)
        size = pixels.get("PhysicalSizeX")
        unit = _TO_NM.get(pixels.get("PhysicalSizeXUnit", "µm"))
        return (float(size) * unit if size and unit else None), names
    tags = tiff.pages[0].tags
    unit = (tiff.imagej_metadata or {}).get("unit", "").replace("\\u00B5", "µ")
    per_unit = _TO_NM.get(unit)
    if per_unit is None:  # resolution unit 3 is the centimetre; inches mean print size, not physical size
        resolution_unit = tags["ResolutionUnit"].value if "ResolutionUnit" in tags else 1
        per_unit = _TO_NM["cm"] if int(resolution_unit) == 3 else None
    if per_unit is None or "XResolution" not in tags:
        return None, ()
    numerator, denominator = tags["XResolution"].value
    return (per_unit * denominator / numerator if numerator else None), ()

"""Images on disk: OME-TIFF with a physical pixel size, names and colours of channels, as Fiji and napari open them."""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile

from lusco.errors import Fault, InputError
from lusco.files import atomic, refuse_claim

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
_TILE_PX = 256
_SMALL_PX = 2048  # sides up to which a viewer shows an image without coarser copies of it
_CLASSIC_BYTES = 3e9  # of pixels, which a TIFF of at most 4 GiB holds together with their coarser copies
_SQUARE = 1e-3  # relative difference of the sides up to which a pixel counts as square


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


def write(image: Image, path: str | Path, colours: Sequence[str] = ()) -> None:
    """Write an OME-TIFF, atomically, tiled and compressed; the same image gives the same bytes.

    Beside an image with a side above 2,048 pixels lie copies of it, each half the size of the one before, so that
    viewers need not read the whole of it to show the whole of it.

    Parameters
    ----------
    image : Image
        Pixels of any real type, with a pixel size and a name per channel.
    path : str or Path
        File to write, ending in `.ome.tiff`.
    colours : sequence of str
        A colour per channel, as `#RRGGBB`, in which viewers show it; without any, viewers choose.
    """
    coloured = {"Color": [_rgba(colour) for colour in colours]} if colours else {}
    metadata = {
        "UUID": f"urn:uuid:{_identity(image, colours)}",
        "axes": "CYX",
        "Channel": {"Name": list(image.channels)} | coloured,
        "PhysicalSizeX": image.pixel_nm,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": image.pixel_nm,
        "PhysicalSizeYUnit": "nm",
    }
    stored = {
        "photometric": "minisblack",
        "tile": (_TILE_PX, _TILE_PX),
        "compression": "zlib",
        "predictor": image.pixels.dtype.kind != "f",
        "resolutionunit": "CENTIMETER",
    }
    per_cm = 1e7 / image.pixel_nm
    number = _coarser(image.pixels.shape)
    is_big = image.pixels.nbytes > _CLASSIC_BYTES
    with atomic(path) as partial, tifffile.TiffWriter(partial, bigtiff=is_big, ome=True) as tiff:
        tiff.write(image.pixels, subifds=number, resolution=(per_cm, per_cm), metadata=metadata, **stored)
        for step, level in enumerate(_halved(image.pixels, number), 1):
            tiff.write(level, subfiletype=1, resolution=(per_cm / 2**step,) * 2, **stored)


def _coarser(shape: tuple[int, ...]) -> int:
    """How many coarser copies an image has: down to one that is small, or a single pixel wide."""
    long, short, number = max(shape[1:]), min(shape[1:]), 0
    while long > _SMALL_PX and short > 1:
        long, short, number = long // 2, short // 2, number + 1
    return number


def _halved(pixels: np.ndarray, number: int) -> Iterator[np.ndarray]:
    """Means of two by two pixels, of those again, and so on; a last odd row or column is left out."""
    for _ in range(number):
        coarser = np.empty((len(pixels), pixels.shape[1] // 2, pixels.shape[2] // 2), pixels.dtype)
        rows, columns = 2 * coarser.shape[1], 2 * coarser.shape[2]
        for channel, half in zip(pixels[:, :rows, :columns], coarser, strict=True):
            half[...] = channel.reshape(rows // 2, 2, columns // 2, 2).mean((1, 3))
        yield coarser
        pixels = coarser


def _rgba(colour: str) -> int:
    """A colour as OME writes it: red, green, blue and opacity, a byte each, as one signed number."""
    return int.from_bytes(bytes.fromhex(f"{colour[1:]}FF"), signed=True)


def _identity(image: Image, colours: Sequence[str]) -> uuid.UUID:
    """The identifier that OME wants of a file, drawn from its content rather than from the clock."""
    digest = hashlib.sha256(np.ascontiguousarray(image.pixels))
    described = image.pixels.shape, image.pixels.dtype.str, image.pixel_nm, image.channels, tuple(colours)
    digest.update(repr(described).encode())
    return uuid.UUID(bytes=digest.digest()[:16], version=5)


def read(path: str | Path, own: bool = False) -> Image:
    """Read a TIFF or OME-TIFF of one plane, or of several channels; of a pyramid its finest level.

    Parameters
    ----------
    path : str or Path
        The file.
    own : bool
        Whether it was written by `write`, and may be of any size.

    Raises
    ------
    InputError
        If the file is missing, truncated or no TIFF, claims to be larger than what is read of others, holds several
        images, has more than two dimensions besides channels, or pixels that are not square.
    """
    path = Path(path)
    try:
        with tifffile.TiffFile(path) as tiff:
            series, images = tiff.series[0], len(tiff.series)
            if not own:
                refuse_claim(series.nbytes, path)
            is_complete = bool(tiff.ome_metadata) or ".ome.tif" not in path.name.lower()
            pixels, axes = series.asarray(), series.axes
            size_nm, channels = _physical_size(tiff)
    except FileNotFoundError:
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except (InputError, MemoryError):
        raise
    except Exception as error:  # tifffile and its codecs raise many types on damaged files
        raise InputError(
            Fault(
                path,
                f"the image cannot be read ({error})",
                "the file is damaged or is no TIFF; export it again, or delete it if LUSCo wrote it",
            )
        ) from None
    if not is_complete:
        raise InputError(
            Fault(path, "the OME metadata is missing", "the file is cut off or was renamed; copy or export it again")
        )
    if images > 1:
        raise InputError(Fault(path, f"the file holds {images} images", "export one image per file"))
    if axes not in ("YX", "CYX"):
        raise InputError(
            Fault(
                path,
                f"the image has the dimensions {axes} with shape {pixels.shape}",
                "export one plane, or one plane with channels",
            )
        )
    if size_nm and not all(0 < side_nm < np.inf for side_nm in size_nm):
        what = f"the pixel size {size_nm[0]:g} x {size_nm[1]:g} nm is not positive"
        raise InputError(Fault(path, what, "correct it in the file"))
    if size_nm and abs(size_nm[0] / size_nm[1] - 1) > _SQUARE:
        raise InputError(
            Fault(
                path,
                f"the pixels are not square ({size_nm[0]:g} x {size_nm[1]:g} nm)",
                "correct the pixel size in the file, or resample it to square pixels",
            )
        )
    return Image(pixels if pixels.ndim == 3 else pixels[None], size_nm[0] if size_nm else None, channels)


def _physical_size(tiff: tifffile.TiffFile) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Pixel size along x and y in nm and channel names, from OME-XML, ImageJ tags or the resolution tags."""
    if tiff.ome_metadata:
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
        pixels = (pixels[0] if isinstance(pixels, list) else pixels)["Pixels"]
        first = ElementTree.fromstring(tiff.ome_metadata).find("{*}Image/{*}Pixels")
        # as they stand: tifffile takes a channel of the name 01 for the number 1
        return _ome_size(pixels), tuple(channel.get("Name", "") for channel in first.findall("{*}Channel"))
    tags = tiff.pages[0].tags
    unit = (tiff.imagej_metadata or {}).get("unit", "").replace("\\u00B5", "µ")
    per_unit = _TO_NM.get(unit)
    if per_unit is None:  # resolution unit 3 is the centimetre; inches mean print size, not physical size
        resolution_unit = tags["ResolutionUnit"].value if "ResolutionUnit" in tags else 1
        per_unit = _TO_NM["cm"] if int(resolution_unit) == 3 else None
    if per_unit is None or "XResolution" not in tags or "YResolution" not in tags:
        return None, ()
    (x, per_x), (y, per_y) = tags["XResolution"].value, tags["YResolution"].value
    return ((per_unit * per_x / x, per_unit * per_y / y) if x and y else None), ()


def _ome_size(pixels: dict[str, Any]) -> tuple[float, float] | None:
    """Pixel size along x and y in nm from OME's attributes; y is taken as x where it is missing."""
    sizes = []
    for axis in "XY" if "PhysicalSizeY" in pixels else "XX":
        size, unit = pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")
        if not size or unit not in _TO_NM:
            return None
        sizes.append(float(size) * _TO_NM[unit])
    return sizes[0], sizes[1]

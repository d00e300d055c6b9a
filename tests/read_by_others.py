"""What programs of the field find in our files, as JSON: `.venv-readers/bin/python tests/read_by_others.py FOLDER`.

Runs in an environment of its own (`make readers`) and therefore imports nothing of LUSCo.
"""

import json
import sys
from pathlib import Path

import numpy as np


def picasso(path: Path) -> dict:
    """Localizations that Picasso keeps, as counted by its renderer, in the colours of their groups."""
    from picasso import io, render

    locs, info = io.load_locs(str(path))
    colours = render.get_group_color(locs)
    parts = render.split_locs_by_group(locs, group_color=colours)
    pixel_nm = info[0]["Pixelsize"]
    images = [render.render(part, info, disp_px_size=pixel_nm) for part in parts]
    blurred = render.render(locs, info, disp_px_size=pixel_nm, blur_method="gaussian")[1]
    moved_px = np.array(info[0]["Offset (px)"])
    return {
        "xy_nm": ((locs[["x", "y"]].to_numpy() + 0.5 - moved_px) * pixel_nm).tolist(),
        "frame": locs["frame"].tolist(),
        "names": [info[0]["Structures"][group] for group in locs["group"]],
        "rejected": locs["rejected"].tolist(),
        "drawn": [number for number, _ in images],
        "sums": [float(image.sum()) for _, image in images],
        "blurred": float(blurred.sum()),
    }


def napari(path: Path) -> dict:
    """What napari's reader of TIFF hands to its viewer."""
    from napari_tiff import napari_get_reader

    ((data, layer, kind),) = napari_get_reader(str(path))(str(path))
    levels = data if isinstance(data, list) else [data]
    return {
        "kind": kind,
        "shapes": [level.shape for level in levels],
        "names": layer["name"],
        "colours": [[round(255 * part) for part in colour[:3]] for colour in layer["colormap"]],
        "scale_um": layer["scale"],
        "units": layer["units"],
    }


def ome(path: Path) -> dict:
    """The image as OME's schema describes it; refuses what the schema does not allow."""
    from ome_types import from_tiff

    (image,) = from_tiff(path, validate=True).images
    return {
        "names": [channel.name for channel in image.pixels.channels],
        "colours": [list(channel.color.as_rgb_tuple()) for channel in image.pixels.channels],
        "size": [image.pixels.physical_size_x, image.pixels.physical_size_y],
        "unit": image.pixels.physical_size_x_unit.value,
    }


def bioio(path: Path) -> dict:
    """What bioio finds, by its own choice of a reader."""
    from bioio import BioImage

    image = BioImage(path)
    size = image.physical_pixel_sizes
    return {
        "names": image.channel_names,
        "size": [size.Y, size.X],
        "shape": image.shape,
        "sums": image.get_image_data("CYX").sum((1, 2)).tolist(),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    found = {
        "picasso": picasso(folder / "a.hdf5"),
        **{
            f"{reader.__name__} {size}": reader(folder / f"{size}.ome.tiff")
            for reader in (napari, ome, bioio)
            for size in ("small", "large")
        },
    }
    (folder / "found.json").write_text(json.dumps(found))

"""The little of torchvision that CAREamics uses, for environments without it: its wheels would replace torch."""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

from torch import Tensor


def provide_torchvision() -> None:
    """Let `import torchvision` find a stand-in where there is no torchvision."""
    if "torchvision" in sys.modules or find_spec("torchvision"):
        return
    import torchmetrics  # noqa: F401  (uses all of torchvision where it finds one, and so must not find this)

    package, transforms, functional = (
        _module(name) for name in ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    )
    package.__version__ = "0.0.0"
    package.transforms, transforms.functional = transforms, functional
    functional.center_crop = center_crop


def center_crop(image: Tensor, output_size: tuple[int, int]) -> Tensor:
    """The middle of an image, whose last axes are rows and columns and at least as long as `output_size`."""
    top, left = (round((have - want) / 2) for have, want in zip(image.shape[-2:], output_size, strict=True))
    return image[..., top : top + output_size[0], left : left + output_size[1]]


def _module(name: str) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    module.__path__ = []
    return module

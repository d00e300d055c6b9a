"""The README of a package, for whoever meets the model in another program and has never heard of LUSCo."""

from lusco.model import ModelDescription
from lusco.package.parts import CARD, INPUT, ONNX, OUTPUT, sizes
from lusco.repeats import Repeats

FORBIDDEN = (
    "Samples with structures that it does not know: they are given to those that it does.",
    "Colocalization, proven or disproven: it learnt from independent structures, and the overlap of its channels is"
    " partly its own guess.",
    "Images taken in another way than its training data: another pixel size, density, precision, or number of"
    " localizations per molecule.",
    "Camera images, or renderings blurred by the precision: it takes counts of localizations.",
    "Diagnosis of any kind.",
)
LIMITATIONS = (
    "It tells structures apart by shape: where two look alike at the resolution of the data, or lie on top of each"
    " other, it can only guess, and says so by low probabilities.",
    "Unspecific localizations belong to no structure, but get one.",
)

_TEXT = """# {title}

{summary}

## Input and outputs

| tensor | axes | what it is |
|---|---|---|
| `{input}` | batch, channel (1), y, x | localizations per pixel of {pixel:g} nm, float32, of all structures |
| `{output}`, channels 1 to {number} | batch, channel, y, x | {channels_are} |
| `{output}`, channels {after} to {twice} | batch, channel, y, x | how likely each structure is in the pixel |

The structures are, in both halves and in this order: {structures}.

The input is a histogram: each localization adds 1 to the pixel that it lies in. Do not blur, scale or normalize it.
The image may have any size. Tiles join without seams where they overlap by the halo of {halo} pixels on each side and
begin at multiples of {step}; they have at least {smallest} then.

For the colour of a localization take the probabilities of its pixel: the likeliest structure, or none where even its
probability is below a threshold of your choice.

## Use

- **napari**, or any Python: `pip install bioimageio.core onnxruntime`, then

  ```python
  import numpy as np
  from bioimageio.core import Tensor, predict

  image = Tensor(counts[None, None].astype(np.float32), ("batch", "channel", "y", "x"))
  result = predict(model="package.zip", inputs={{"{input}": image}})
  channels, probabilities = np.split(result.members["{output}"].data.to_numpy()[0], 2)  # (structures, y, x) each
  # in napari: viewer.add_image(channels, channel_axis=0, scale=({pixel:g}, {pixel:g}))
  ```

- **ilastik** (not tried): workflow *Neural Network Classification*, with this zip as the model.
- **Fiji** (not tried): unzip into deepImageJ's folder of models, then *DeepImageJ Run* on a 32-bit image of counts,
  such as ThunderSTORM's visualization *Histograms* gives, without jitter, at a magnification that makes pixels of
  {pixel:g} nm.
- **ONNX alone**:

  ```python
  import onnxruntime

  session = onnxruntime.InferenceSession("{onnx}")
  (recolored,) = session.run(None, {{"{input}": counts[None, None].astype("float32")}})
  channels, probabilities = np.split(recolored[0], 2)
  ```

## What it must not be used for

{forbidden}

## What to know

{limitations}
- LUSCo itself averages over eight directions of its input with pixels that begin elsewhere in each, which puts about
  one localization in a hundred more right, says which regions look unlike anything that the model knows, and writes
  tables of localizations.
  This package does none of it.{settled}

## Training

Trained by LUSCo {version} on composites, superpositions of acquisitions in which a structure was imaged alone:
{acquisitions}.{card}

## Validation

On composites of acquisitions that the training did not see, which also chose checkpoint, temperature, sharpness and
thresholds: {scores}. These are the scores of LUSCo, with all that it does before and after;
those of the package alone are less good and were not measured.

Before you trust it, image each structure alone, in your way, superpose the localizations of such acquisitions, render
them together and compare each channel with the acquisition that it should be: what lies in the wrong one is crosstalk.

## Licence

BSD-3-Clause, see `LICENSE`.
"""

_SETTLED = """
- It learned from localizations each of which lay at the mean of its likely repeats, those of the same molecule, where
  LUSCo puts them before it looks. `lusco show`, given the folder of a model and an acquisition, writes
  the counts that it wants. Counts of positions as measured are more blurred, and less is put right: in a test 78
  instead of 85 % of the localizations. Without LUSCo, a model trained with `settle: false` is better."""


def summary(model: ModelDescription) -> str:
    """What the model does, in two sentences, at most the 1024 characters that the zoo allows."""
    text = (
        f"Separates {len(model.structures)} structures that share one dye in single-molecule localization microscopy:"
        f" counts of localizations in pixels of {model.seen_pixel_nm:g} nm go in, a channel and a probability for each"
        f" structure come out ({', '.join(in_words(name) for name in model.structures)})."
    )
    return text if len(text) <= 1024 else f"{text[:1020]} ..."


def in_words(structure: str) -> str:
    """The name of a structure as people read it."""
    return structure.replace("_", " ")


def readme(model: ModelDescription, has_card: bool) -> str:
    """The README, in Markdown.

    Parameters
    ----------
    model : ModelDescription
        The model.
    has_card : bool
        Whether the package also holds the card that its authors wrote.
    """
    smallest, step, halo = sizes(model.depth, model.subpixels, model.wide_blocks)
    predicted = model.head == "regression"
    return _TEXT.format(
        settled=_SETTLED if Repeats(**model.repeats) else "",
        title=f"LUSCo recolouring of {len(model.structures)} structures",
        summary=summary(model),
        input=INPUT,
        output=OUTPUT,
        channels_are="counts that the network predicts"
        if predicted
        else "the share of the counts given to a structure",
        number=len(model.structures),
        after=len(model.structures) + 1,
        twice=2 * len(model.structures),
        pixel=model.seen_pixel_nm,
        structures=", ".join(f"`{name}`" for name in model.structures),
        smallest=smallest,
        step=step,
        halo=halo,
        onnx=ONNX,
        forbidden="\n".join(f"- {sentence}" for sentence in FORBIDDEN),
        limitations="\n".join(f"- {sentence}" for sentence in LIMITATIONS),
        version=model.training.get("lusco", ""),
        acquisitions=_acquisitions(model),
        card=f" More in the card of the model, `{CARD}`." if has_card else "",
        scores=_scores(model),
    )


def _acquisitions(model: ModelDescription) -> str:
    listed = model.training.get("acquisitions", {})
    return ", ".join(f"{len(listed.get(name, []))} of {in_words(name)}" for name in model.structures)


def _scores(model: ModelDescription) -> str:
    """Crosstalk without rejection and at 30 % rejected."""
    first = min(model.rejection, key=lambda entry: entry["rejected"])
    some = max(
        (entry for entry in model.rejection if entry["rejected"] <= 0.3),
        key=lambda entry: entry["rejected"],
        default=first,
    )
    text = f"{first['crosstalk']:.1%} of the localizations in the wrong structure when none is rejected"
    return f"{text}, {some['crosstalk']:.1%} of the others when the least sure {some['rejected']:.0%} are"

"""The card and the licence that lie beside exported weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path

#: What the name of a source begins with, in a path, and whom to name for it.
ATTRIBUTIONS: tuple[tuple[str, str], ...] = (
    ("verse", "VerSe 2019 and 2020 (Sekuboyina et al., Medical Image Analysis 2021; "
     "Löffler et al., Radiology: AI 2020), CC BY-SA 4.0"),
    ("sub-gl", "VerSe 2020, CT angiographies (Sekuboyina et al., Medical Image Analysis 2021), CC BY-SA 4.0"),
    ("lidc-idri", "LIDC-IDRI (Armato et al., Medical Physics 2011; The Cancer Imaging Archive), CC BY 3.0"),
    ("acrin-flt", "ACRIN-FLT-Breast (The Cancer Imaging Archive), CC BY 3.0"),
    ("tcga-", "TCGA-LIHC (The Cancer Imaging Archive), CC BY 3.0"),
    ("crlm-ct", "Colorectal liver metastases CT (The Cancer Imaging Archive), CC BY 4.0"),
    ("s032", "TotalSegmentator data set (Wasserthal et al., Radiology: AI 2023), CC BY 4.0"),
    ("totalseg-example", "Example CT of the repository of totalseg_spine_report, Apache-2.0"),
    ("tptbox", "TPTBox example CT, Apache-2.0"),
)  # fmt: skip

_CARD = """# Spine networks, version {version}

Research use only. Not a medical device; not for diagnosis or treatment.

## What it is

Two small 3-D U-Nets (`wirbel.training.nets`): `find.onnx` reads the whole CT, `segment.onnx` boxes along the
column at 1.5 mm. Where there is `outline.onnx` (`wirbel.training.outline_net`; learnt from drawings alone), it
draws the edges of both anew at 1 mm.
Weights are stored in half precision. Made by `wirbel train spine`.

## What went in

{trained_on}

No third-party weights.

## How long

{steps}

## Figures

None were taken by the training. A CT that is listed above is no evidence of accuracy.

## Licence and attributions

CC BY-SA 4.0 (`LICENSE`).

{attributions}
"""

_LICENCE = """The networks in this folder (find.onnx, segment.onnx, outline.onnx) are licensed under the
Creative Commons Attribution-ShareAlike 4.0 International licence:
https://creativecommons.org/licenses/by-sa/4.0/legalcode

SPDX-License-Identifier: CC-BY-SA-4.0

Attributions are in MODEL_CARD.md beside this file.
"""


def write_card(folder: Path, *, version: str, trained_on: Sequence[str], steps: Mapping[str, int]) -> None:
    """Write `MODEL_CARD.md` and `LICENSE`; `steps` of each network's last stage."""
    card = _CARD.format(
        version=version,
        trained_on="\n".join(f"- {one}" for one in trained_on),
        steps="\n".join(f"- `{name}`: {n} steps in the last stage" for name, n in steps.items()),
        attributions="\n".join(f"- {one}" for one in attributions_of(trained_on)) or "Drawings alone.",
    )
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    (folder / "LICENSE").write_text(_LICENCE, encoding="utf-8")


def attributions_of(trained_on: Sequence[str]) -> list[str]:
    """Whom to name for these sources, each once."""
    parts = [part for source in trained_on for part in source.replace(" ", "/").split("/")]
    return [text for start, text in ATTRIBUTIONS if any(part.startswith(start) for part in parts)]

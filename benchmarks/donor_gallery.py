"""A page of simulated fractures and lesions in real CTs: the donor as it was, then edited.

    python benchmarks/donor_gallery.py CROPS OUT.png [ROW,...]

CROPS is a folder of `wirbel phantom donors`. Without rows: three of each class, from different patients.
"""

import csv
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

#: Bone and soft tissue: centre and width in HU.
BONE, SOFT = (300, 1400), (60, 400)
CLASSES = ("osteoporotic_fracture", "malignant_fracture", "malignant_lesion", "normal")
SIGNS = ("height_loss", "cortex_destroyed", "lytic_mm3", "sclerotic_mm3", "retropulsion_mm", "vacuum_mm3",
         "epidural_mm3", "paravertebral_mm3", "thickening_mm", "lines")  # fmt: skip


def grey(plane: np.ndarray, window: tuple[int, int]) -> np.ndarray:
    centre, width = window
    return np.clip((plane.astype(float) - centre + width / 2) / width, 0, 1)


def chosen(rows: list[dict[str, str]]) -> list[int]:
    out: list[int] = []
    for name in CLASSES:
        seen: set[str] = set()
        for i, row in enumerate(rows):
            if row["class"] == name and row["patient"] not in seen and len(seen) < 3:
                seen.add(row["patient"])
                out.append(i)
    return out


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def main(folder: Path, out: Path, asked: list[int]) -> None:
    hu, original = (np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("hu", "original"))
    rows, truth = table(folder / "index.tsv"), table(folder / "truth.tsv")
    shown = asked or chosen(rows)
    fig, axes = plt.subplots(len(shown), 6, figsize=(10.8, 1.92 * len(shown)), squeeze=False)
    for line, i in zip(axes, shown, strict=True):
        now, was, m = hu[i], original[i], hu.shape[1] // 2
        planes = [
            grey(was[::-1, :, m], BONE), grey(now[::-1, :, m], BONE), grey(now[::-1, m], BONE), grey(now[m], BONE),
            grey(now[::-1, :, m], SOFT), grey(now[m], SOFT),
        ]  # fmt: skip
        for ax, plane in zip(line, planes, strict=True):
            ax.imshow(plane, cmap="gray", vmin=0, vmax=1, interpolation="bilinear")
            ax.axis("off")
        signs = ", ".join(f"{n.removesuffix('_mm3').removesuffix('_mm')} {truth[i][n]}" for n in SIGNS
                          if float(truth[i][n] or 0) > 0)  # fmt: skip
        name = f"{i}: {rows[i]['class'].replace('_', ' ')}, {rows[i]['image']} {rows[i]['vertebra']}; {signs}"
        line[0].set_title(name, fontsize=6, loc="left", pad=2)
    fig.suptitle("SIMULATED lesions in real CTs - research use only. First column: the donor as it was", fontsize=8)
    fig.subplots_adjust(left=0.003, right=0.997, bottom=0.003, top=0.96, wspace=0.02, hspace=0.1)
    fig.savefig(out, dpi=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [int(r) for r in sys.argv[3].split(",")] if sys.argv[3:] else [])

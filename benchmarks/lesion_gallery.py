"""A page of simulated cases, one a cause: sagittal, coronal and axial sections, bone and soft-tissue window.

    python benchmarks/lesion_gallery.py OUT.png [CAUSE:SEED,...]
"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

from wirbel.phantom.cases import CaseSettings, DrawnCause, draw_case

#: Bone and soft tissue: centre and width in HU.
WINDOWS = ((400, 1800), (60, 350))
#: Seeds whose signs are easy to see in the middle sections.
SHOWN = (
    ("osteoporotic_fracture", 1), ("osteoporotic_fracture", 12), ("malignant_fracture", 1),
    ("malignant_fracture", 13), ("malignant_lesion", 12), ("spondylodiscitis", 1), ("haemangioma", 1), ("paget", 1),
)  # fmt: skip


def sections(cause: str, seed: int) -> tuple[list[np.ndarray], str]:
    settings = CaseSettings(DrawnCause(cause), scanner="siemens-b30f-1", phase="portal_venous", size_mm=88.0)
    case = draw_case(np.random.default_rng(seed), settings)
    hu = case.ct.hu.astype(float)
    m, h = hu.shape[0] // 2, 29
    z, y, x = slice(m - h, m + h), slice(m - 20, m + 38), slice(m - h, m + h)
    planes = [hu[z, y, m][::-1], hu[z, m, x][::-1], hu[m, y, x]]
    shown = [np.clip((p - c + w / 2) / w, 0, 1) for c, w in WINDOWS for p in planes]
    return shown, f"{cause.replace('_', ' ')}, {case.truth.level.name}"


def main(out: Path, asked: tuple[tuple[str, int], ...]) -> None:
    rows = [sections(*item) for item in asked]
    per_line = 2
    lines = -(-len(rows) // per_line)
    fig, axes = plt.subplots(lines, 6 * per_line, figsize=(6 * per_line * 0.86, lines * 1.02))
    for ax in axes.flat:
        ax.axis("off")
    for i, (planes, name) in enumerate(rows):
        for j, plane in enumerate(planes):
            ax = axes[i // per_line, (i % per_line) * 6 + j]
            ax.imshow(plane, cmap="gray", vmin=0, vmax=1, interpolation="bilinear")
            if j == 0:
                ax.set_title(name, fontsize=6, loc="left", pad=2)
    title = "SIMULATED - research use only. Sagittal, coronal, axial; bone window, soft-tissue window"
    fig.suptitle(title, fontsize=8, y=0.995)
    fig.subplots_adjust(left=0.005, right=0.995, bottom=0.005, top=0.9, wspace=0.03, hspace=0.16)
    fig.savefig(out, dpi=80)


if __name__ == "__main__":
    text = sys.argv[2].split(",") if sys.argv[2:] else []
    given = tuple((item.split(":")[0], int(item.split(":")[1])) for item in text)
    main(Path(sys.argv[1]), given or SHOWN)

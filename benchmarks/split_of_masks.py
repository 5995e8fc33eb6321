"""Body and posterior elements of whole-vertebra masks against the sub-region masks of VerSe 2020 (four near-full
spines of the hand-out), and against TotalSegmentator's own body masks of one CT.

    python benchmarks/split_of_masks.py --data ../shared/data
"""

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from wirbel.spine import Level, Part, evidence_from_masks
from wirbel.spine.split import split_body_and_posterior
from wirbel.volume import Grid, LabelMap
from wirbel.volume.resample import canonical_labels, resample_labels

BODY_REGION = 7
#: A vertebra has sub-regions when at least this share of it is body there.
ANNOTATED_SHARE = 0.2


def read(path: Path) -> LabelMap:
    image = nib.load(path)
    labels = np.asarray(image.dataobj).astype(np.uint8)
    return canonical_labels(LabelMap(Grid(labels.shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine), labels))


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / max(1, a.sum() + b.sum()))


def against_sub_regions(folder: Path) -> None:
    every: dict[str, list[float]] = {"C": [], "T": [], "L": []}
    for path in sorted(folder.glob("*_seg-vert_*.nii.gz")):
        vertebrae, regions = read(path), read(path.with_name(path.name.replace("seg-vert", "seg-subreg")))
        parts = split_body_and_posterior(vertebrae).parts.labels
        row = []
        for number, box in enumerate(ndimage.find_objects(vertebrae.labels), start=1):
            if box is None:
                continue
            mine = vertebrae.labels[box] == number
            truth = (regions.labels[box] == BODY_REGION) & mine
            if truth.sum() >= ANNOTATED_SHARE * mine.sum():
                value = dice((parts[box] == Part.BODY) & mine, truth)
                every[Level(number).region].append(value)
                row.append(f"{Level(number).name} {value:.3f}")
        print(f"{path.name.split('_')[0]}: {'  '.join(row)}")
    for region, values in every.items():
        print(f"{region}: n {len(values)}, mean Dice {np.mean(values):.3f}, lowest {np.min(values):.3f}")
    both = np.concatenate([np.array(v) for v in every.values()])
    print(f"all: n {len(both)}, mean Dice {both.mean():.3f}, lowest {both.min():.3f}")


def against_body_masks(folder: Path) -> None:
    whole, bodies = read(folder / "vertebrae.nii.gz"), read(folder / "bodies.nii.gz")
    evidence = evidence_from_masks(whole, numbering="totalsegmentator", ct_grid=whole.grid)
    split = np.where(evidence.parts.labels == Part.BODY, evidence.instances.labels, 0).astype(np.uint8)
    at_3mm = resample_labels(LabelMap(evidence.instances.grid, split), bodies.grid).labels
    for v in evidence.vertebrae:
        if v.given is not None:
            value = dice(at_3mm == v.label, bodies.labels == v.given.value)
            print(f"totalseg-example-ct {v.given.name}: Dice with TotalSegmentator's own body mask {value:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    against_sub_regions(data / "masks" / "full-spines")
    against_body_masks(data / "ct" / "totalseg-example-ct")


if __name__ == "__main__":
    main()

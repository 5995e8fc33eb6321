"""A tiny crop folder of random voxels with an index by hand, and scores whose strength is known."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

EDGE = 12
HEAD = (
    "patient", "vertebra", "class", "split", "fold", "age", "sex", "scanner", "contrast", "site", "image", "line",
    "inside", "arm", "cause",
)  # fmt: skip
OST, MAL, LESION = "osteoporotic_fracture", "malignant_fracture", "malignant_lesion"
#: arm, split, class and count of each block of vertebrae, one patient each.
BLOCKS = (
    ("train", "train", OST, 30), ("train", "train", MAL, 30), ("train", "train", LESION, 12),
    ("train_sound", "train", "normal", 12),
    ("study_test", "test", OST, 37), ("study_test", "test", MAL, 49),
    ("calibration", "calibration", OST, 60), ("calibration", "calibration", MAL, 60),
    ("calibration_unfractured", "calibration", LESION, 30),
    ("calibration_unfractured", "calibration", "normal", 30),
    ("large_external", "external", OST, 210), ("large_external", "external", MAL, 200),
    ("large_unfractured", "test", LESION, 20), ("large_unfractured", "test", "normal", 20),
    ("large_unfractured", "test", "mimic", 20),
    ("discitis", "test", "spondylodiscitis", 12),
)  # fmt: skip


@dataclass(frozen=True)
class ScoredFolder:
    """The folder, its rows, and where tables are written."""

    path: Path
    rows: list[dict[str, str]] = field(default_factory=list)

    def scores(self, name: str, strength: float, *, seed: int = 1, members: int = 2, learnt=("train",)) -> Path:
        """Scores that differ by `strength` standard deviations between the classes; discitis in between."""
        rng = np.random.default_rng(seed)
        lines = ["\t".join(["row", "set", *(f"member_{k}" for k in range(members))])]
        for i, row in enumerate(self.rows):
            if row["split"] == "train" and row["arm"] not in learnt:
                continue
            centre = 0.0 if row["cause"] == "spondylodiscitis" else 1.0 if row["class"] in (MAL, LESION) else -1.0
            values = centre * strength / 2 + rng.normal() + rng.normal(0, 0.05, members)
            told = "out_of_fold" if row["split"] == "train" else row["arm"]
            lines.append("\t".join([str(i), told, *(f"{v:.5f}" for v in values)]))
        file = self.path.parent / f"{name}.tsv"
        file.write_text("\n".join(lines) + "\n")
        return file

    def signs(self) -> Path:
        """A sign that knows something, one that grows with benignity, one that is noise and often not measured."""
        rng = np.random.default_rng(9)
        lines = ["row\tlytic_fraction\ttrabecular_density_hu\tnoise_mm\treason"]
        for i, row in enumerate(self.rows):
            sick = row["class"] in (MAL, LESION)
            noise = f"{rng.normal():.3f}" if rng.random() < 0.6 else ""
            lines.append(f"{i}\t{rng.normal() + sick:.3f}\t{rng.normal() - 0.5 * sick:.3f}\t{noise}\tword")
        file = self.path.parent / "signs.tsv"
        file.write_text("\n".join(lines) + "\n")
        return file

    def write_index(self) -> None:
        """The rows as they are now."""
        lines = ["\t".join(HEAD), *("\t".join(row[k] for k in HEAD) for row in self.rows)]
        (self.path / "index.tsv").write_text("\n".join(lines) + "\n")


def made_folder(
    parent: Path, *, simulated: bool = True, vertebrae_a_patient: int = 1, blocks=BLOCKS
) -> ScoredFolder:
    """Random voxels, a ball as mask, ages and scanners by turns."""
    folder = ScoredFolder(parent / "crops")
    folder.path.mkdir(parents=True)
    levels = [*(f"T{k}" for k in range(5, 13)), *(f"L{k}" for k in range(1, 6))]
    for arm, split, kind, count in blocks:
        for k in range(count):
            patient = f"{arm}-{kind}-{k // vertebrae_a_patient}"
            i = len(folder.rows)
            folder.rows.append({
                "patient": patient, "vertebra": levels[i % len(levels)],
                "class": "mimic" if kind == "spondylodiscitis" else kind, "split": split, "fold": "",
                "age": str(45 + 7 * (i % 6)), "sex": "FM"[i % 2], "scanner": f"scanner {i % 3}",
                "contrast": ("none", "venous")[i % 2], "site": "x", "image": f"sub-{patient}", "line": str(i + 2),
                "inside": "1", "arm": arm, "cause": "haemangioma" if kind == "mimic" else kind,
            })  # fmt: skip
    n = len(folder.rows)
    rng = np.random.default_rng(3)
    z, y, x = np.indices((EDGE,) * 3) - EDGE // 2
    ball = (z**2 + y**2 + x**2 < 16).astype(np.uint8)
    np.save(folder.path / "hu.npy", rng.integers(-100, 600, (n, EDGE, EDGE, EDGE)).astype(np.int16))
    np.save(folder.path / "mask.npy", np.repeat(ball[None], n, axis=0))
    plain = {"size": [EDGE] * 3, "spacing_mm": 1.0, "simulated": simulated, "settings_sha256": "feed" * 16}
    (folder.path / "crops.json").write_text(json.dumps(plain))
    (folder.path / "cohort.json").write_text(json.dumps({"simulated": simulated, "code_sha256": "c0de" * 16}))
    folder.write_index()
    return folder

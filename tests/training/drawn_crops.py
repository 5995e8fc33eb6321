"""Crop folders as `wirbel cohort crops` makes them, small and drawn, for the tests of the classifiers' training."""

import csv
import json
from pathlib import Path

import numpy as np

SIDE = 70
COLUMNS = ("patient", "vertebra", "class", "split", "fold", "arm")


def a_row(k: int, diagnosis: str, split: str = "train") -> dict[str, str]:
    return {"patient": f"p{k}", "vertebra": "L1", "class": diagnosis, "split": split, "fold": "", "arm": split}


def some_rows(n: int = 8) -> list[dict[str, str]]:
    both = ("malignant_fracture", "osteoporotic_fracture")
    return [a_row(k, both[k % 2]) for k in range(n)] + [a_row(n + k, both[k % 2], "test") for k in range(2)]


def crops_in(folder: Path, rows: list[dict[str, str]]) -> Path:
    """A folder as `wirbel cohort crops` makes it; malignant bodies have a hole."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    mask = np.zeros((len(rows), SIDE, SIDE, SIDE), np.uint8)
    mask[:, 22:48, 20:50, 18:52] = 1
    mask[:, :14, 20:50, 18:52] = 2
    values = rng.normal(20, 30, mask.shape).astype(np.int16)
    values[mask == 1] += 200
    for i, row in enumerate(rows):
        if row["class"].startswith("malignant"):
            values[i, 28:42, 28:42, 28:42] = 0
    np.save(folder / "hu.npy", values)
    np.save(folder / "mask.npy", mask)
    with (folder / "index.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)
    said = {"size": [SIDE] * 3, "spacing_mm": 1.0, "simulated": True}
    (folder / "crops.json").write_text(json.dumps(said))
    return folder


def quiet(_line: str) -> None:
    pass

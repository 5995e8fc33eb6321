"""Batches of a member's crops: bent for training, as they are for judging; reproducible."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.utils.data import DataLoader

from wirbel.etiology.network_input import InputKind, central, network_input
from wirbel.training.fracture.augment import Augmenter, AugmentSettings
from wirbel.training.fracture.crop_rows import CropData
from wirbel.training.fracture.nets import Taught
from wirbel.training.fracture.recipe import Learnt

#: Kinds of paint in `marks.npy` (1 .. this).
MARKS = 14
#: Numbers of the drawings' truth that are taught; a pedicle counts on either side.
SIGNS = (
    "cortex_destroyed", "spongiosa_mm3", "lytic_mm3", "sclerotic_mm3", "pedicle", "posterior_convexity_mm",
    "retropulsion_mm", "vacuum_mm3", "epidural_mm3", "paravertebral_mm3", "thickening_mm", "lines",
    "line_sharpness", "puzzle", "density_mg_cm3", "height_loss",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """Network input, classes (1 malignant) and what else is taught."""

    crops: Tensor
    malignant: Tensor
    taught: Taught


class BentCrops:
    """A map-style data set: item i is (crop, epoch) bent by their own random numbers."""

    def __init__(
        self, data: CropData, rows: Sequence[Learnt], kind: InputKind, settings: AugmentSettings, *, seed: int,
        signs: Float32[np.ndarray, "n s"] | None, paint: bool,
    ) -> None:  # fmt: skip
        self._data, self._rows, self._kind, self._seed = data, tuple(rows), kind, seed
        self._augmenter = Augmenter(settings, seed=seed)
        self._signs = signs
        self._marks = data.marks if paint else None

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, item: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Input, class, paint (empty where none is taught), signs."""
        i, epoch = item
        learnt = self._rows[i]
        row = learnt.crop.row
        rng = np.random.default_rng([self._seed, epoch, row])
        marks = None if self._marks is None else self._marks[row]
        bent = self._augmenter(self._data.hu[row], self._data.mask[row], marks, rng)
        own = bent.mask if (bent.mask & 1).any() else central(self._data.mask[row], bent.mask.shape)
        image = network_input(bent.hu, np.ascontiguousarray(own), self._kind)
        paint = np.zeros(0, np.uint8) if bent.marks is None else bent.marks
        signs = np.zeros(0, np.float32) if self._signs is None else self._signs[i]
        return (
            torch.from_numpy(image), torch.tensor(float(learnt.malignant)), torch.from_numpy(paint),
            torch.from_numpy(signs),
        )  # fmt: skip


def training_batches(
    crops: BentCrops, *, epoch: int, batch: int, seed: int, workers: int
) -> Iterator[Batch]:
    """One epoch in random order; a last batch too small to normalise over is left out."""
    order = np.random.default_rng([seed, epoch]).permutation(len(crops))
    groups = [[(int(i), epoch) for i in order[k : k + batch]] for k in range(0, len(order), batch)]
    full = [g for g in groups if len(g) == batch] or groups[:1]
    for images, malignant, paint, signs in DataLoader(crops, batch_sampler=full, num_workers=workers):  # type: ignore[arg-type]  # a data set by its methods
        yield Batch(images, malignant, _taught(paint, signs))


def judged_batches(
    data: CropData, rows: Sequence[Learnt], kind: InputKind, *, size: tuple[int, int, int], batch: int
) -> Iterator[Batch]:
    """The crops' middles as they are."""
    nothing = Taught(None, None, None)
    for k in range(0, len(rows), batch):
        some = rows[k : k + batch]
        images = [
            network_input(central(data.hu[r.crop.row], size), central(data.mask[r.crop.row], size), kind)
            for r in some
        ]
        malignant = torch.tensor([float(r.malignant) for r in some])
        yield Batch(torch.from_numpy(np.stack(images)), malignant, nothing)


def sign_targets(rows: Sequence[Learnt]) -> Float32[np.ndarray, "n s"] | None:
    """Standardised logarithms of the truth's numbers, NaN where it has none; None where nobody knows the truth."""
    table = np.array([[_sign(dict(r.crop.truth), name) for name in SIGNS] for r in rows], dtype=np.float64)
    if not np.isfinite(table).any():
        return None
    table = np.sign(table) * np.log1p(np.abs(table))
    known = np.isfinite(table)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, table, 0.0).sum(0) / count
    spread = np.sqrt(np.where(known, np.square(table - mean), 0.0).sum(0) / count)
    return ((table - mean) / np.where(spread > 0, spread, 1.0)).astype(np.float32)


def _sign(truth: dict[str, str], name: str) -> float:
    if name == "pedicle":
        return max(_sign(truth, "pedicle_right"), _sign(truth, "pedicle_left"))
    cell = truth.get(name, "")
    return float(cell) if cell else float("nan")


def _taught(paint: Tensor, signs: Tensor) -> Taught:
    """Paint as "some of it in this cell" at 4 and 8 mm, one channel a kind."""
    fine = coarse = None
    if paint.ndim == 4:
        bits = _any_of_eight(np.left_shift(np.uint16(1), paint.numpy().astype(np.uint16)))
        fine, coarse = _unpacked(bits), _unpacked(_any_of_eight(bits))
    return Taught(fine, coarse, signs if signs.shape[1] else None)


def _any_of_eight(bits: np.ndarray) -> np.ndarray:
    """Half the resolution: bits that any of the eight voxels has."""
    for axis in (3, 2, 1):
        line = np.moveaxis(bits, axis, 0)
        bits = np.moveaxis(line[0::2] | line[1::2], 0, axis)
    return bits


def _unpacked(bits: np.ndarray) -> Tensor:
    kinds = np.arange(1, MARKS + 1, dtype=np.uint16)[None, :, None, None, None]
    return torch.from_numpy(((bits[:, None] >> kinds) & 1).astype(np.float32))

"""Body and posterior elements of whole vertebrae."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from wirbel.spine import Part
from wirbel.spine.refine import isotropic
from wirbel.spine.split import split_body_and_posterior
from wirbel.volume import Grid, LabelMap


def drawn_vertebrae(n: int = 3, *, open_arch: int | None = None, tilt: float = 0.0) -> tuple[LabelMap, np.ndarray]:
    """Vertebrae as an elliptic body, two pedicles, a lamina ring and processes; and where the bodies are."""
    labels = np.zeros((34 * n + 10, 100, 100), np.uint8)
    body = np.zeros(labels.shape, bool)
    z, y, x = np.indices(labels.shape).astype(float)
    for k in range(n):
        u = z - (34.0 * (n - 1 - k) + 20)
        v = y - 35.0 - tilt * (z - labels.shape[0] / 2)
        w = x - 50.0
        is_body = (abs(u) <= 13) & (v**2 / 16**2 + w**2 / 22**2 < 1)
        pedicle = (abs(u - 5) <= 6) & (abs(abs(w) - 13) <= 4) & (v > 0) & (v < 30)
        lamina = (abs(u) <= 11) & (abs(w) <= 17) & (v > 30) & (v < 36)
        process = ((abs(u) <= 6) & (abs(w) <= 3) & (v >= 36) & (v < 56)) | (
            (abs(u - 4) <= 4) & (abs(w) > 13) & (abs(w) < 42) & (abs(v - 24) < 4)
        )
        if open_arch == k:
            lamina &= w > 8
        labels[is_body | pedicle | lamina | process] = k + 1
        body |= is_body
    return LabelMap(Grid.axis_aligned(labels.shape, (1.0, 1.0, 1.0)), labels), body


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.parametrize("tilt", [0.0, 0.35, -0.35])
def test_a_drawn_vertebra_falls_into_body_and_arch_however_it_leans(tilt) -> None:
    instances, body = drawn_vertebrae(tilt=tilt)
    split = split_body_and_posterior(instances)
    assert dice(split.parts.labels == Part.BODY, body) > 0.95


def test_every_voxel_of_a_vertebra_gets_a_part_and_no_other_does() -> None:
    instances, _ = drawn_vertebrae()
    split = split_body_and_posterior(instances)
    assert np.array_equal(split.parts.labels > 0, instances.labels > 0)


def test_an_open_arch_takes_the_canal_of_its_neighbours() -> None:
    instances, body = drawn_vertebrae(open_arch=1)
    split = split_body_and_posterior(instances)
    middle = instances.labels == 2
    assert dice((split.parts.labels == Part.BODY) & middle, body & middle) > 0.93


def test_bodies_without_arches_stay_bodies() -> None:
    instances, body = drawn_vertebrae()
    bodies = LabelMap(instances.grid, np.where(body, instances.labels, 0).astype(np.uint8))
    split = split_body_and_posterior(bodies)
    assert np.array_equal(split.parts.labels == Part.BODY, body)


def test_the_input_is_not_changed() -> None:
    instances, _ = drawn_vertebrae(1)
    before = instances.labels.copy()
    split_body_and_posterior(instances)
    assert np.array_equal(instances.labels, before)


def read(path: Path) -> LabelMap:
    image = nib.load(path)
    labels = np.asarray(image.dataobj).astype(np.uint8)
    return LabelMap(Grid(labels.shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine), labels)


@pytest.mark.data
def test_bodies_of_a_real_column_agree_with_its_sub_region_masks(data_dir) -> None:
    folder = data_dir / "masks" / "full-spines"
    instances = isotropic(read(folder / "verse823_seg-vert_from-mesh.nii.gz"))
    truth = isotropic(read(folder / "verse823_seg-subreg_from-mesh.nii.gz"))
    index = truth.grid.to_voxel(instances.grid.to_lps_mm(np.argwhere(instances.labels > 0).astype(float)))
    inside = np.clip(np.round(index), 0, np.array(truth.grid.shape) - 1).astype(int)
    is_body = np.zeros(instances.labels.shape, bool)
    is_body[instances.labels > 0] = truth.labels[tuple(inside.T)] == 7
    split = split_body_and_posterior(instances)
    per_vertebra = []
    for label, box in enumerate(ndimage.find_objects(instances.labels), start=1):
        if box is not None:
            mine = instances.labels[box] == label
            per_vertebra.append(dice((split.parts.labels[box] == Part.BODY) & mine, is_body[box] & mine))
    assert np.mean(per_vertebra) > 0.95
    assert min(per_vertebra) > 0.90

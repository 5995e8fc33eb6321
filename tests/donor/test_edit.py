"""Warp, repaint and sham on one donor."""

import numpy as np
import pytest
from scipy import ndimage

from wirbel.donor.cohort import crop_of_case
from wirbel.donor.collapse import Collapse, displacement, draw_collapse, loss_of
from wirbel.donor.edit import SHAM_LOSS, edit
from wirbel.finding import Grade, Shape
from wirbel.phantom.cases import DrawnCause
from wirbel.phantom.fracture import LOSS, Sink
from wirbel.spine import Part


@pytest.fixture(scope="module")
def cases(region):
    return {cause: edit(region, cause, 5) for cause in (DrawnCause.NORMAL, DrawnCause.MALIGNANT_FRACTURE)}


@pytest.mark.parametrize("shape", list(Shape))
def test_a_collapse_loses_what_its_grade_asks_for(region, shape):
    collapse, loss = draw_collapse(np.random.default_rng(2), region, shape, Grade.MODERATE)
    low, high = LOSS[Grade.MODERATE]
    assert low - 0.01 < loss < high + 0.01
    assert loss == pytest.approx(loss_of(region, collapse))


def test_no_collapse_moves_nothing(region):
    x, y, z = (c[::8, ::8, ::8] for c in region.coordinates())
    d = displacement(region, Collapse(), x, y, z)
    assert max(float(np.abs(c).max()) for c in (d.x, d.y, d.z)) < 1e-4
    assert np.allclose(d.squeeze, 1)


def test_a_collapse_never_folds_the_picture(region):
    """Along the axis of the column, order is kept: what was above stays above."""
    collapse, _ = draw_collapse(np.random.default_rng(3), region, Shape.CRUSH, Grade.SEVERE)
    z = np.linspace(-40, 40, 400, dtype=np.float32)[:, None]
    y = np.linspace(-25, 12, 9, dtype=np.float32)[None, :]
    d = displacement(region, collapse, np.zeros_like(z + y), y + 0 * z, z + 0 * y)
    assert np.diff(z + d.z, axis=0).min() > -1e-3


def test_the_neighbours_follow_a_crush_as_rigid_bodies(region):
    collapse = Collapse(upper=Sink(6.0, 0.0, 6.0), follow=1.0)
    z = np.linspace(region.upper.at + 8, region.upper.at + 20, 20, dtype=np.float32)
    d = displacement(region, collapse, np.zeros_like(z), np.zeros_like(z), z)
    assert np.ptp(d.z) < 0.2
    assert d.z.mean() == pytest.approx(6.0, abs=0.5)


def test_the_mask_of_a_fracture_is_flatter_than_the_donors(region, cases):
    def tall(labels):
        body = (labels == int(region.level)) & (region.parts == Part.BODY if labels is region.labels else True)
        own = region.frame.to_own(region.grid.to_lps_mm(np.argwhere(body).astype(float)))
        front = own[(own[:, 1] < -0.25 * region.outline.depth_mm) & (np.abs(own[:, 0]) < 8)]
        middle = own[(np.abs(own[:, 1]) < 4) & (np.abs(own[:, 0]) < 8)]
        return min(np.ptp(front[:, 2]), np.ptp(middle[:, 2]))

    fracture = cases[DrawnCause.MALIGNANT_FRACTURE]
    assert fracture.truth.genant_grade >= 1
    assert tall(fracture.labels.labels) < 0.92 * tall(region.labels)
    sham = cases[DrawnCause.NORMAL]
    assert tall(sham.labels.labels) > 0.9 * tall(region.labels)


def test_a_sham_is_told_as_normal_and_nothing_is_marked(cases):
    sham = cases[DrawnCause.NORMAL]
    assert sham.truth.cause is DrawnCause.NORMAL
    assert sham.truth.genant_grade == 0
    assert sham.truth.height_loss <= SHAM_LOSS + 0.01
    assert not sham.marks.any()
    assert sham.lesion.any()


def test_same_seed_same_voxels_and_another_seed_others(region, cases):
    again = edit(region, DrawnCause.NORMAL, 5)
    assert np.array_equal(again.ct.hu, cases[DrawnCause.NORMAL].ct.hu)
    assert not np.array_equal(edit(region, DrawnCause.NORMAL, 6).ct.hu, again.ct.hu)


def test_noise_far_from_the_lesion_is_as_strong_as_the_donors(region, cases):
    """What interpolation takes is given back, in a fracture as in a sham."""

    def soft(hu):
        smooth = ndimage.gaussian_filter(hu.astype(np.float32), 1.5)
        return ndimage.binary_erosion((smooth > -150) & (smooth < 110), iterations=3)

    def fine_sd(hu, far):
        return float((hu - ndimage.gaussian_filter(hu.astype(np.float32), 1.0))[far].std())

    for case in cases.values():
        far = soft(region.base.hu) & soft(case.ct.hu)  # soft tissue before and after: no edge that has moved
        assert far.sum() > 10_000
        assert fine_sd(case.ct.hu, far) == pytest.approx(fine_sd(region.base.hu, far), rel=0.08)


def test_new_noise_has_the_donors_spectrum(region):
    drawn = region.grain.drawn(np.random.default_rng(1))
    assert drawn.std() == pytest.approx(1.0, abs=0.01)
    noise = region.grain.noise / region.grain.sd_hu
    for axis in (1, 2):
        one = np.mean(drawn * np.roll(drawn, 1, axis))
        soft = (np.abs(noise) < 2.5) & (np.abs(region.grain.smooth) < 120)
        own = np.mean((noise * np.roll(noise, 1, axis))[soft]) / np.mean((noise**2)[soft])
        assert one == pytest.approx(own, abs=0.15)


def test_a_crop_has_every_array_and_the_donors_name(source, cases):
    crop = crop_of_case(cases[DrawnCause.MALIGNANT_FRACTURE], source, 64)
    assert {name: a.shape for name, a in crop.arrays.items()} == dict.fromkeys(
        ("hu", "mask", "marks", "edited", "original"), (64, 64, 64)
    )
    lesion = (crop.arrays["edited"] & 1) > 0
    assert lesion[(crop.arrays["mask"] & 1) > 0].mean() > 0.98
    assert crop.index["patient"] == "donor-drawn"
    assert crop.index["age"] == crop.index["sex"] == ""
    assert crop.truth["cause"] == "malignant_fracture"

"""Masks, surfaces, structures, names and grades: brute force, MONAI where installed, hand counts."""

import math

import numpy as np
import pytest
from scipy import ndimage, spatial

from wirbel.evaluation.labelling import genant_confusion, identification
from wirbel.evaluation.overlap import dice, dice_per_label, intersection_over_union
from wirbel.evaluation.structures import mean_over_cases, segmentation_figures
from wirbel.evaluation.surface_distance import Surface, surface_distances
from wirbel.evaluation.surface_elements import surface_elements

SPACING = (3.0, 1.5, 1.0)


def blobs(seed):
    rng = np.random.default_rng(seed)
    a = ndimage.gaussian_filter(rng.normal(size=(14, 16, 18)), 2.0)
    b = a + 0.4 * a.std() * ndimage.gaussian_filter(rng.normal(size=a.shape), 1.0) / 0.1
    return a > 0.5 * a.std(), b > 0.5 * b.std()


def brute_force(a, b):
    """Distances between boundary voxels, all against all."""
    edges = [np.argwhere(m & ~ndimage.binary_erosion(m)) * SPACING for m in (a, b)]
    table = spatial.distance.cdist(*edges)
    return table.min(axis=1), table.min(axis=0)


@pytest.mark.parametrize("seed", range(4))
def test_voxel_surfaces_agree_with_all_against_all(seed):
    a, b = blobs(seed)
    one, two = brute_force(a, b)
    found = surface_distances(a, b, SPACING, surface=Surface.VOXELS)
    assert found.hausdorff_mm() == pytest.approx(max(one.max(), two.max()))
    assert found.hausdorff_mm(95.0) == pytest.approx(max(np.percentile(one, 95), np.percentile(two, 95)))
    assert found.average_symmetric_mm() == pytest.approx(np.r_[one, two].mean())
    assert found.surface_dice(1.6) == pytest.approx((np.r_[one, two] <= 1.6).mean())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of MONAI's own, on its own arguments
@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_monai(seed):
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    a, b = blobs(seed)
    y, p = (torch.as_tensor(m[None, None].astype(np.float32)) for m in (a, b))
    voxels = surface_distances(a, b, SPACING, surface=Surface.VOXELS)
    options = {"include_background": True, "spacing": list(SPACING)}
    peer = metrics.compute_hausdorff_distance(p, y, percentile=95, **options)
    assert voxels.hausdorff_mm(95.0) == pytest.approx(float(peer[0, 0]), abs=1e-4)
    peer = metrics.compute_average_surface_distance(p, y, symmetric=True, **options)
    assert voxels.average_symmetric_mm() == pytest.approx(float(peer[0, 0]), abs=1e-4)
    for kind, inside in ((Surface.VOXELS, False), (Surface.ELEMENTS, True)):
        peer = metrics.compute_surface_dice(p, y, [1.6], use_subvoxels=inside, **options)
        ours = surface_distances(a, b, SPACING, surface=kind).surface_dice(1.6)
        assert ours == pytest.approx(float(peer[0, 0]), abs=1e-5)


def test_the_area_of_a_box_is_known_and_a_sphere_is_close():
    box = np.zeros((20, 20, 20), dtype=bool)
    box[5:15, 4:16, 6:14] = True
    area = surface_elements(box, SPACING).sizes.sum()
    faces = 2 * (10 * 12 * 4.5 + 10 * 8 * 3.0 + 12 * 8 * 1.5)
    assert area == pytest.approx(faces, rel=0.06)  # edges and corners are cut
    radius = 12.0
    ball = ((np.indices((31, 31, 31)) - 15.0) ** 2).sum(axis=0) <= radius**2
    # a binary mask steps: marching cubes on it is some 10 % too large
    assert surface_elements(ball, (1.0, 1.0, 1.0)).sizes.sum() == pytest.approx(4 * math.pi * radius**2, rel=0.12)


def test_empty_masks_follow_the_fields_convention():
    some, none = blobs(0)[0], np.zeros((14, 16, 18), dtype=bool)
    both, one = surface_distances(none, none, SPACING), surface_distances(some, none, SPACING)
    assert math.isnan(both.hausdorff_mm())
    assert math.isnan(both.surface_dice(1.0))
    assert (one.hausdorff_mm(95.0), one.surface_dice(1.0)) == (math.inf, 0.0)
    assert math.isnan(dice(none, none))
    assert dice(some, none) == 0.0
    assert math.isnan(intersection_over_union(none, none))


def test_a_missed_structure_counts_as_the_worst_case_and_is_named():
    truth = np.zeros((20, 20, 20), dtype=np.uint8)
    truth[2:6, 2:8, 2:8], truth[10:14, 2:8, 2:8] = 20, 21
    found = np.where(truth == 20, 20, 0).astype(np.uint8)
    found[16:18, 14:18, 14:18] = 22
    case = segmentation_figures(truth, found, (2.0, 1.0, 1.0), tolerance_mm=1.0)
    diagonal = math.sqrt(40**2 + 20**2 + 20**2)
    assert (case.missed, case.invented) == ((21,), (22,))
    assert case.worst_mm == pytest.approx(diagonal)
    assert case.mean("dice") == pytest.approx(1 / 3)
    assert case.mean("hausdorff95_mm") == pytest.approx(2 * diagonal / 3)
    assert case.mean("surface_dice") == pytest.approx(1 / 3)
    assert dice_per_label(truth, found) == {20: 1.0, 21: 0.0, 22: 0.0}
    good = segmentation_figures(truth, truth, (2.0, 1.0, 1.0), tolerance_mm=1.0)
    mean = mean_over_cases((case, good), "dice")
    assert (mean.value, mean.high) == (pytest.approx(2 / 3), 1.0)


def test_an_identification_needs_the_own_vertebra_to_be_nearest_and_near():
    truth = {20: (0.0, 0.0, 0.0), 21: (0.0, 0.0, 30.0), 22: (0.0, 0.0, 60.0), 23: (0.0, 0.0, 90.0)}
    named = {20: (0.0, 0.0, 3.0), 21: (0.0, 0.0, 50.0), 22: (21.0, 0.0, 60.0), 25: (0.0, 0.0, 120.0)}
    found = identification(truth, named, worst_mm=500.0)
    assert found.hits == (20,)
    assert found.missing == (23,)
    assert found.rate.value == 0.25
    assert found.mean_distance_of_named_mm == pytest.approx((3 + 20 + 21) / 3)
    assert found.mean_distance_mm == pytest.approx((3 + 20 + 21 + 500) / 4)


def test_grades_are_confused_in_a_table():
    found = genant_confusion([0, 0, 1, 2, 3, 3, 0, 1], [0, 1, 1, 2, 2, 3, 0, 0])
    assert found.table.sum() == 8
    assert found.table[3, 2] == 1
    assert found.exact.value == pytest.approx(5 / 8)
    assert found.within_one.value == 1.0
    assert found.fracture_sensitivity.value == pytest.approx(4 / 5)
    assert found.moderate_specificity.value == 1.0
    assert 0 < found.kappa_linear.estimate.value < 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: dice(np.zeros((2, 2)), np.zeros((2, 3))), "of one shape"),
        (lambda: dice(np.full((2, 2), 3), np.zeros((2, 2))), "choose one label"),
        (lambda: dice_per_label(np.zeros((2, 2)), np.zeros((2, 2))), "whole numbers, got float64"),
        (lambda: surface_distances(np.ones((2, 2)), np.ones((2, 2)), (1.0,)), "positive spacing for each of 2"),
        (lambda: surface_distances(np.ones(3), np.ones(3), (1.0,)), "2 or 3 axes"),
        (lambda: identification({}, {}, worst_mm=1.0), "names no vertebra"),
        (lambda: identification({1: (0.0, 0.0)}, {}, worst_mm=1.0), "three finite numbers"),
        (lambda: genant_confusion([0, 4], [0, 1]), "grades 0 to 3, got 4 at position 2"),
    ],
)
def test_bad_input_is_refused_with_what_and_where(call, says):
    with pytest.raises(ValueError, match=says):
        call()

"""Heights of analytic bodies: what must not change them, what must, and what is refused."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from wirbel.spine import Level, Spine
from wirbel.vertebra import BodyHeights, Frame, NotMeasured, Reason, VertebraMeasures, VertebraSettings, measure_all
from wirbel.vertebra.overlap import without_overlaps
from wirbel.volume import LabelMap, Volume


def _load(name: str):  # tests are collected with importlib: neighbours are loaded by path
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


bodies = _load("bodies")
Shape, column = bodies.Shape, bodies.column
FEW = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


def measured(ct: Volume, spine: Spine) -> tuple[VertebraMeasures, ...]:
    return measure_all(ct, spine, VertebraSettings(), bodies.AXIAL_1_MM)


def three(measures: VertebraMeasures) -> np.ndarray:
    assert isinstance(measures.heights, BodyHeights)
    h = measures.heights.median
    return np.array([h.anterior_mm, h.middle_mm, h.posterior_mm])


TRUE = np.array([24.0, 22.0, 25.0])


@given(tilt_deg=st.floats(-25, 25), roll_deg=st.floats(-12, 12))
@FEW
def test_heights_do_not_depend_on_how_the_patient_lies(tilt_deg: float, roll_deg: float) -> None:
    ct, spine = column([Shape(), Shape()], axes=bodies.turned(tilt_deg, roll_deg))
    for vertebra in measured(bodies.without_edges(ct), spine):
        assert np.allclose(three(vertebra), TRUE, atol=0.5)
        assert vertebra.heights.depth_mm == pytest.approx(30.0, abs=1.0)


@given(posterior_mm=st.floats(20, 30), slant_mm=st.floats(-6, 6), sunk_mm=st.floats(0, 7))
@example(posterior_mm=30.0, slant_mm=-6.0, sunk_mm=0.0)
@example(posterior_mm=21.5, slant_mm=0.0, sunk_mm=0.0)
@example(posterior_mm=21.6, slant_mm=0.05, sunk_mm=0.0)
@FEW
def test_heights_are_those_of_the_body(posterior_mm: float, slant_mm: float, sunk_mm: float) -> None:
    anterior_mm = posterior_mm - slant_mm
    shape = Shape(anterior_mm, 0.5 * (anterior_mm + posterior_mm) - sunk_mm, posterior_mm)
    ct, spine = column([shape])
    (vertebra,) = measured(ct, spine)
    wedge = np.arctan((posterior_mm - anterior_mm) / (0.76 * 30.0))
    true = [shape.anterior_mm, shape.middle_mm, shape.posterior_mm]
    # an endplate in line with the slices of 1 mm gains or loses them as a whole; a slanted one crosses several
    assert np.allclose(three(vertebra), true, atol=0.8 if abs(slant_mm) < 1.0 else 0.6)
    assert vertebra.wedge_deg == pytest.approx(np.degrees(wedge), abs=2.5)


def test_left_and_right_may_be_swapped() -> None:
    shapes = [Shape(20.0, 19.0, 24.0), Shape()]
    plain = measured(*column(shapes))
    mirrored = measured(*column(shapes, mirrored=True))
    for a, b in zip(plain, mirrored, strict=True):
        assert np.allclose(three(a), three(b), atol=0.1)


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (1.0, 0.7, 0.7), (2.0, 0.8, 0.8), (1.0, 1.0, 2.5)])
def test_resampling_keeps_heights(spacing_mm: tuple[float, float, float]) -> None:
    ct, spine = column([Shape(20.0, 19.0, 24.0), Shape()], spacing_mm=spacing_mm, axes=bodies.turned(8.0))
    first, second = measured(ct, spine)
    tolerance_mm = 0.4 + 0.4 * spacing_mm[0]
    assert np.allclose(three(first), [20.0, 19.0, 24.0], atol=tolerance_mm)
    assert np.allclose(three(second), TRUE, atol=tolerance_mm)


def test_a_crop_as_tight_as_the_masks_still_shows_the_edges() -> None:
    ct, spine = column([Shape(), Shape()], grow_mm=1.2)
    top = int(np.argwhere(spine.instances.labels)[:, 0].max()) + 3
    grid = ct.grid.cropped((0, 0, 0), (top, *ct.grid.shape[1:]))
    tight = Volume(grid, ct.hu[:top].copy())
    assert np.allclose(three(measured(tight, spine)[0]), three(measured(ct, spine)[0]), atol=0.2)


def test_the_ct_may_have_another_grid_than_the_masks() -> None:
    _, spine = column([Shape(), Shape()])
    ct, _ = column([Shape(), Shape()], spacing_mm=(1.5, 0.8, 0.8))
    assert np.allclose(three(measured(ct, spine)[0]), TRUE, atol=0.6)


@pytest.mark.parametrize("grow_mm", [-1.2, 0.0, 1.2])
def test_the_bone_s_edge_in_the_ct_mends_a_mask_that_is_too_large_or_too_small(grow_mm: float) -> None:
    ct, spine = column([Shape(), Shape()], grow_mm=grow_mm)
    (first, _) = measured(ct, spine)
    assert np.allclose(three(first), TRUE, atol=0.8)  # a larger mask also moves the stations outward
    blind = three(measured(bodies.without_edges(ct), spine)[0])
    assert np.allclose(blind, TRUE + 2.0 * grow_mm, atol=0.7)


def test_lips_in_front_change_no_height() -> None:
    plain = three(measured(*column([Shape(), Shape()]))[0])
    lipped = three(measured(*column([Shape(lip_mm=4.0), Shape()]))[0])
    assert np.allclose(plain, lipped, atol=0.4)


def test_a_neighbour_s_endplate_is_never_taken_for_the_own_one() -> None:
    ct, spine = column([Shape(), Shape()], disc_mm=3.0)
    assert np.allclose(three(measured(ct, spine)[0]), TRUE, atol=0.7)


def test_axes_are_orthogonal_and_right_handed() -> None:
    ct, spine = column([Shape(), Shape()], axes=bodies.turned(15.0, 5.0))
    for vertebra in measured(ct, spine):
        frame = vertebra.frame
        assert isinstance(frame, Frame)
        assert np.allclose(np.cross(frame.left, -frame.anterior), frame.superior, atol=1e-9)
        assert frame.superior @ bodies.turned(15.0, 5.0)[:, 2] > np.cos(np.radians(2.0))


def test_the_six_points_are_as_far_apart_as_the_heights_say() -> None:
    ct, spine = column([Shape()])
    (vertebra,) = measured(ct, spine)
    points = vertebra.heights.points
    assert np.linalg.norm(points.middle_superior - points.middle_inferior) == pytest.approx(22.0, abs=0.6)
    assert points.anterior_superior[1] < points.posterior_superior[1]


def test_a_body_cut_by_the_border_has_no_heights() -> None:
    ct, spine = column([Shape(), Shape()])
    top = int(np.argwhere(spine.instances.labels == 1)[:, 0].max()) - 6
    cut = Volume(ct.grid.cropped((0, 0, 0), (top, *ct.grid.shape[1:])), ct.hu[:top].copy())
    masks = [LabelMap(cut.grid, m.labels[:top].copy()) for m in (spine.instances, spine.parts)]
    first, second = measured(cut, replace(spine, instances=masks[0], parts=masks[1]))
    assert first.heights == NotMeasured(Reason.TOUCHES_EDGE)
    assert isinstance(second.heights, BodyHeights)


def test_a_vertebra_that_the_segmenter_calls_cut_has_no_heights() -> None:
    ct, spine = column([Shape()])
    cut = replace(spine, vertebrae=(replace(spine.vertebrae[0], cut_by_border=True),))
    assert measured(ct, cut)[0].heights == NotMeasured(Reason.TOUCHES_EDGE)


def test_thick_slices_have_no_heights_but_a_density() -> None:
    ct, spine = column([Shape()])
    thick = replace(bodies.AXIAL_1_MM, slice_mm=5.0, craniocaudal_mm=5.0)
    (vertebra,) = measure_all(ct, spine, VertebraSettings(), thick)
    assert isinstance(vertebra.heights, NotMeasured)
    assert vertebra.heights.reason is Reason.TOO_COARSE
    assert vertebra.density.median_hu == pytest.approx(bodies.MARROW_HU, abs=5)


def test_a_speck_is_no_body_and_a_missing_body_is_said() -> None:
    ct, spine = column([Shape(), Shape()], levels=[Level.L1, Level.L2])
    labels = spine.instances.labels.copy()
    parts = spine.parts.labels.copy()
    labels[labels == 1] = 0
    z, y, x = (n // 2 for n in labels.shape)
    labels[z + 20 : z + 24, y : y + 4, x : x + 4] = 1
    parts[labels == 1] = 1
    speck = replace(spine, instances=LabelMap(spine.grid, labels), parts=LabelMap(spine.grid, parts))
    assert measured(ct, speck)[0].heights.reason is Reason.MASK_POOR
    labels[labels == 1] = 0
    gone = replace(spine, instances=LabelMap(spine.grid, labels))
    first, second = measured(ct, gone)
    assert first.heights.reason is Reason.NO_BODY
    assert isinstance(second.heights, BodyHeights)


def test_bodies_that_would_lie_in_each_other_lose_their_heights() -> None:
    upper, middle, lower = measured(*column([Shape(), Shape(), Shape()]))
    assert without_overlaps([upper, middle, lower]) == (upper, middle, lower)
    near = replace(middle.frame, origin_lps_mm=upper.frame.origin_lps_mm - np.array([0.0, 0.0, 18.0]))
    first, second, third = without_overlaps([upper, replace(middle, frame=near), lower])
    assert first.heights.reason is second.heights.reason is Reason.MASK_POOR
    assert third is lower


def test_every_number_is_finite() -> None:
    shapes = [Shape(9.0, 6.0, 12.0), Shape(30.0, 12.0, 30.0), Shape(12.0, 20.0, 26.0)]
    for vertebra in measured(*column(shapes)):
        assert np.all(np.isfinite(three(vertebra)))
        assert np.isfinite(vertebra.wedge_deg)
        assert np.all(np.isfinite(vertebra.endplates.upper.sunk_mm + vertebra.endplates.lower.sunk_mm))


def test_the_input_is_not_changed() -> None:
    ct, spine = column([Shape()])
    before = ct.hu.copy(), spine.instances.labels.copy()
    measured(ct, spine)
    assert np.array_equal(before[0], ct.hu)
    assert np.array_equal(before[1], spine.instances.labels)

"""The truth is what a ruler would find: heights, grades, names, ribs, mimics."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wirbel.finding import Grade, Shape
from wirbel.phantom import AnatomySettings, Mimic, draw_anatomy
from wirbel.phantom.body import Body, Endplate, body_depth, unfractured
from wirbel.phantom.column import levels_of
from wirbel.phantom.fracture import fracture, grade_of, loss_of
from wirbel.phantom.sixpoints import AT_DEPTH, PLANES, endplate_planes, true_shape
from wirbel.spine import Level, Variant

PLAIN = AnatomySettings(variant_chance=0.0, rib_variant_chance=0.0, fracture_chance=0.0, mimic_chance=0.0)


def a_body(slope: float = 0.0) -> Body:
    upper = Endplate(13.5, slope, 2.5, 1.0)
    lower = Endplate(13.5, 0.5 * slope, 3.0, 0.5)
    return Body(31.0, 43.0, 39.5, 45.0, upper, lower)


def by_ruler(body: Body) -> np.ndarray:
    """Posterior, middle and anterior height, read along lines through the solid itself every 0.02 mm."""
    upper, lower = endplate_planes(body)
    up = sum(np.array([-p[1], -p[2], 1.0]) / np.linalg.norm([p[1], p[2], 1.0]) for p in (upper, lower))
    up = up / np.linalg.norm(up)
    back = np.array([0.0, 1.0, 0.0]) - up[1] * up
    back /= np.linalg.norm(back)
    left = np.cross(back, up)
    origin = np.array([0.0, 0.0, 0.5 * (upper[0] + lower[0])])

    def inside(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        p = origin + x[..., None] * left + y[..., None] * back + z[..., None] * up
        return body_depth(body, p[..., 0], p[..., 1], p[..., 2]) > 0

    table = []
    for share in PLANES:
        x = np.array(share * 0.5 * body.width_middle_mm)
        y = np.arange(-25, 25, 0.02)
        there = y[inside(np.broadcast_to(x, y.shape), y, np.zeros_like(y))]
        row = []
        for station in AT_DEPTH:
            at = there.max() - station * (there.max() - there.min()) + np.arange(-1.0, 1.01, 0.25)
            z = np.arange(-25, 25, 0.02)
            yy, zz = np.meshgrid(at, z, indexing="ij")
            hits = inside(np.broadcast_to(x, yy.shape), yy, zz)
            row.append(np.mean(hits.sum(axis=1) * 0.02))
        table.append(row)
    return np.median(np.array(table), axis=0)


def triple(body: Body) -> np.ndarray:
    h = true_shape(body).heights
    return np.array([h.posterior_mm, h.middle_mm, h.anterior_mm])


@pytest.mark.parametrize("slope", [-0.1, 0.0, 0.12])
def test_true_heights_are_those_of_the_solid(slope: float) -> None:
    body = a_body(slope)
    assert np.max(np.abs(triple(body) - by_ruler(body))) < 0.2


@pytest.mark.parametrize("shape", list(Shape))
def test_true_heights_of_a_broken_body_are_those_of_the_solid(shape: Shape) -> None:
    body = fracture(np.random.default_rng(2), a_body(), shape, Grade.MODERATE)
    assert np.max(np.abs(triple(body) - by_ruler(body))) < 0.2


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), shape=st.sampled_from(list(Shape)), grade=st.integers(1, 3))
def test_a_broken_body_has_lost_what_its_grade_says(seed: int, shape: Shape, grade: int) -> None:
    body = fracture(np.random.default_rng(seed), a_body(0.05), shape, Grade(grade))
    loss = loss_of(true_shape(body), true_shape(unfractured(body)))
    assert grade_of(loss) == Grade(grade)


def test_a_wedge_is_lowest_in_front_and_a_biconcave_one_in_the_middle() -> None:
    before = triple(a_body())
    for seed in range(6):
        rng = np.random.default_rng(seed)
        wedge = 1 - triple(fracture(rng, a_body(), Shape.WEDGE, Grade.SEVERE)) / before
        assert wedge[2] == max(wedge) and wedge[0] < 0.15
        concave = 1 - triple(fracture(rng, a_body(), Shape.BICONCAVE, Grade.MODERATE)) / before
        assert concave[1] == max(concave) and concave[0] < 0.15
        crush = 1 - triple(fracture(rng, a_body(), Shape.CRUSH, Grade.SEVERE)) / before
        assert min(crush) > 0.2


@pytest.mark.parametrize(
    ("variant", "thoracic", "lumbar"),
    [(None, 12, 5), (Variant.T11_ONLY, 11, 5), (Variant.T13, 13, 5), (Variant.L4_ONLY, 12, 4), (Variant.L6, 12, 6)],
)
def test_variants_are_counted(variant: Variant | None, thoracic: int, lumbar: int) -> None:
    levels = levels_of((variant,) if variant else ())
    assert sum(lv.region == "T" for lv in levels) == thoracic
    assert sum(lv.region == "L" for lv in levels) == lumbar
    assert list(levels) == sorted(levels, key=lambda lv: lv.rank)


def test_without_variants_twelve_pairs_of_ribs_hang_on_the_chest() -> None:
    truth = draw_anatomy(np.random.default_rng(1), PLAIN).truth
    carriers = [v.level for v in truth.vertebrae if any(v.ribs)]
    assert carriers == [Level(n) for n in range(8, 20)]
    assert all(v.ribs == (True, True) for v in truth.vertebrae if v.level.region == "T")


def test_without_fractures_nobody_has_lost_height() -> None:
    truth = draw_anatomy(np.random.default_rng(4), PLAIN).truth
    assert all(v.grade is Grade.NONE and v.loss == 0.0 and v.fracture is None for v in truth.vertebrae)


@pytest.mark.parametrize("mimic", list(Mimic))
def test_a_mimic_that_is_asked_for_is_in_the_truth_and_is_no_fracture(mimic: Mimic) -> None:
    asked = AnatomySettings(mimics=(mimic,), mimic_chance=0.0, fracture_chance=0.0, variant_chance=0.0)
    truth = draw_anatomy(np.random.default_rng(9), asked).truth
    assert truth.mimics == (mimic,)
    assert any(mimic in v.mimics for v in truth.vertebrae)
    assert all(v.grade is Grade.NONE for v in truth.vertebrae)


def test_sizes_follow_the_cited_norms() -> None:
    people = [draw_anatomy(np.random.default_rng(seed), PLAIN).truth for seed in range(12)]
    for level, mean in ((Level.T6, 19.9), (Level.L1, 28.8), (Level.L4, 29.2)):
        found = [next(v for v in p.vertebrae if v.level is level).shape.heights for p in people]
        ends = np.mean([0.5 * (h.anterior_mm + h.posterior_mm) for h in found])
        assert abs(ends - mean) < 0.08 * mean

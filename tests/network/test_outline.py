"""The last step of segmentation: what it may change, that tiles leave no seams, that it learns an edge."""

from pathlib import Path

import numpy as np
import pytest
from tests.network.test_maps import HEIGHTS, SEGMENT, blocks

torch = pytest.importorskip("torch")

from wirbel.network.outline import INPUTS, Outline, OutlineSettings, outline_input  # noqa: E402
from wirbel.network.spine_heads import CLASSES, FINDER_COARSE  # noqa: E402
from wirbel.network.tubes import PARTS, TubeMaps  # noqa: E402
from wirbel.training.export import write_onnx  # noqa: E402
from wirbel.training.outline import OutlineTraining, export_outline, outline_loss, train_outline  # noqa: E402
from wirbel.training.outline_cases import (  # noqa: E402
    NO_VERTEBRA,
    UNKNOWN,
    OutlineCase,
    load_case,
    real_case,
    save_case,
)
from wirbel.training.outline_net import OutlineNet  # noqa: E402
from wirbel.volume import Grid, LabelMap, Volume  # noqa: E402

SHAPE = (47, 40, 38)
GRID = Grid.axis_aligned(SHAPE, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
BODY, RIB, SACRUM = (CLASSES.index(name) for name in ("body", "rib", "sacrum"))


def maps_of(part_p: np.ndarray, classes: np.ndarray) -> TubeMaps:
    coarse = np.zeros((FINDER_COARSE, 3, 3, 3), np.float32)
    vote = np.zeros((3, *part_p.shape[1:]), np.float32)
    return TubeMaps(GRID, classes, vote, part_p, coarse, GRID)


def exported(folder: Path, seed: int | None) -> Path:
    """An untrained network, or one with drawn weights in its last layer."""
    net = OutlineNet(width=8, fine=4)
    if seed is not None:
        generator = torch.Generator().manual_seed(seed)
        for parameter in net.change.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)
    axes = {2: "z", 3: "y", 4: "x"}
    path = folder / "outline.onnx"
    write_onnx(net.eval(), torch.zeros(1, INPUTS, 16, 16, 16), path, {"image": axes, "log_odds": axes})
    return path


def blurred_ball(radius_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Distance from a ball's surface, outward, and probabilities of body that are soft at its edge."""
    at = np.indices(SHAPE) - (np.array(SHAPE).reshape(3, 1, 1, 1) - 1) / 2
    outward = np.linalg.norm(at, axis=0) - radius_mm
    part_p = np.zeros((3, *SHAPE), np.uint8)
    part_p[0] = np.round(255 / (1 + np.exp(outward)))
    return outward, part_p


def test_an_untrained_network_says_what_the_segmenter_says_and_leaves_other_classes_alone(tmp_path: Path) -> None:
    outward, part_p = blurred_ball(11.0)
    before = np.where(outward < 3, BODY, 0).astype(np.uint8)
    before[:3] = SACRUM
    before[:, :3] = RIB
    ct = Volume(GRID, np.zeros(SHAPE, np.int16))
    after = Outline(exported(tmp_path, None), threads=1)(maps_of(part_p, before), ct).classes
    ball = part_p[0] > 127.5
    assert np.array_equal(after == BODY, ball)
    assert np.array_equal(after == SACRUM, (before == SACRUM) & ~ball)
    assert np.array_equal(after == RIB, (before == RIB) & ~ball)


def test_tiles_show_no_seam(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    part_p = rng.integers(0, 86, (len(PARTS), *SHAPE)).astype(np.uint8)
    ct = Volume(GRID, rng.integers(-500, 900, SHAPE).astype(np.int16))
    path = exported(tmp_path, 3)
    classes = np.zeros(SHAPE, np.uint8)
    whole, tiled = (
        Outline(path, threads=1, settings=OutlineSettings(tile, 14))(maps_of(part_p, classes), ct).classes
        for tile in (64, 18)
    )
    assert len(np.unique(whole)) > 2
    assert np.array_equal(whole, tiled)


def test_what_nobody_thinks_of_is_not_asked_for(tmp_path: Path) -> None:
    nothing = np.zeros((len(PARTS), *SHAPE), np.uint8)
    classes = np.full(SHAPE, RIB, np.uint8)
    ct = Volume(GRID, np.full(SHAPE, 500, np.int16))
    after = Outline(exported(tmp_path, 3), threads=1)(maps_of(nothing, classes), ct)
    assert np.array_equal(after.classes, classes)


def test_a_training_moves_edges_to_where_the_image_has_them_and_goes_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    paths = []
    for k in range(4):
        outward, part_p = blurred_ball(12.0)
        edge = -2.5 + 0.3 * k  # the segmenter's balls are too large
        hu = np.where(outward < edge, 400, 0) + rng.normal(0, 15, SHAPE)
        truth = (outward < edge).astype(np.uint8)
        paths.append(tmp_path / f"case{k}.npz")
        save_case(OutlineCase(np.rint(hu).astype(np.int16), part_p, truth), paths[-1])
    settings = OutlineTraining(minutes=60.0, steps=120, batch=2, patch=24, average=0.9, log_every=20)
    checkpoint = train_outline(paths, tmp_path / "run", settings, say=lambda line: None)
    steps = torch.load(checkpoint, weights_only=True)["step"]
    again = train_outline(paths, tmp_path / "run", settings, say=lambda line: None)
    assert torch.load(again, weights_only=True)["step"] == steps == 120
    export_outline(checkpoint, tmp_path / "outline.onnx")
    case = load_case(paths[0])
    before = np.where(case.p[0] > 127, BODY, 0).astype(np.uint8)
    after = Outline(tmp_path / "outline.onnx", threads=1)(maps_of(case.p, before), Volume(GRID, case.hu)).classes
    wrong = [np.count_nonzero((classes == BODY) != (case.truth == 1)) for classes in (before, after)]
    assert wrong[1] < 0.3 * wrong[0]


def test_the_network_s_input_is_two_windows_and_three_probabilities() -> None:
    _, part_p = blurred_ball(5.0)
    image = outline_input(np.full(SHAPE, 90.0, np.float32), part_p)
    assert image.shape == (INPUTS, *SHAPE)
    assert image[1].min() == image[1].max() == pytest.approx(0.0)
    assert image[2].max() == pytest.approx(part_p[0].max() / 255)


def test_voxels_are_learnt_from_as_far_as_they_are_known() -> None:
    log_odds = torch.randn((1, 4, 2, 2, 2), generator=torch.Generator().manual_seed(1), requires_grad=True)
    truth = torch.full((1, 2, 2, 2), UNKNOWN)
    truth[0, 0, 0, 0], truth[0, 0, 0, 1] = 2, NO_VERTEBRA
    p = torch.softmax(log_odds.detach(), 1)[0]
    loss = outline_loss(log_odds, truth)
    exact, neither = p[2, 0, 0, 0], p[0, 0, 0, 1] + p[3, 0, 0, 1]
    assert float(loss.detach()) == pytest.approx(float(-(exact.log() + neither.log()) / 2), rel=1e-5)
    loss.backward()
    assert log_odds.grad is not None
    assert not log_odds.grad[0, :, 1].any()
    assert float(outline_loss(log_odds.detach(), torch.full((1, 2, 2, 2), UNKNOWN))) == 0.0


def test_next_to_a_mask_is_no_vertebra_but_bone_further_off_may_be_one_without_mask() -> None:
    ct = blocks(HEIGHTS)
    labels = np.zeros(ct.grid.shape, np.uint8)
    at = np.rint(ct.grid.to_voxel(np.array([[60.0, 60.0, HEIGHTS[1]]]))[0]).astype(int)
    z, y, x = (slice(a - 12, a + 13) for a in at)
    labels[z, y, x] = 7
    masks = LabelMap(ct.grid, labels)
    case = real_case(ct, masks, masks, SEGMENT)
    assert set(np.unique(case.truth)) == {1, NO_VERTEBRA, UNKNOWN}
    assert np.count_nonzero(case.truth == 1) == 25**3
    # the neighbours lie 10 mm off: bone of which no mask tells, at the edge of what was cut out
    assert set(np.unique(case.truth[case.p[0] > 200])) == {1, UNKNOWN}
    assert case.hu.shape == case.truth.shape == case.p.shape[1:]
    assert max(case.hu.shape) <= 25 + 2 * 12 + 2

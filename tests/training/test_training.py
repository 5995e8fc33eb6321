"""Training: truth survives the bending, unknown truth costs nothing, a run goes on where it stopped."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from wirbel.network.session import open_network  # noqa: E402
from wirbel.network.spine_heads import CLASSES, FINDER_COARSE, FINDER_DENSE  # noqa: E402
from wirbel.training.augment import AugmentSettings, draw_patch  # noqa: E402
from wirbel.training.export import export_onnx  # noqa: E402
from wirbel.training.loop import LoopSettings, Patches, finder, finder_loss, segmenter, segmenter_loss, train  # noqa: E402
from wirbel.training.losses import class_loss, targets_of  # noqa: E402
from wirbel.training.sample import (  # noqa: E402
    ANY_CLASS,
    Drawing,
    Sample,
    allowed_from_classes,
    load_sample,
    save_sample,
)


def a_sample(*, drawn: bool = False) -> Sample:
    """Three cubes of bone as vertebrae on a 2 mm grid."""
    classes = np.zeros((72, 64, 64), np.uint8)
    instances = np.zeros_like(classes)
    centres = []
    for i, z in enumerate((56, 36, 16)):
        classes[z - 5 : z + 6, 27:38, 27:38] = 1
        classes[z - 2 : z + 3, 40:50, 29:36] = 2
        instances[z - 5 : z + 6, 27:50, 27:38] = (i + 1) * (classes[z - 5 : z + 6, 27:50, 27:38] > 0)
        centres.append((z, 32, 32))
    hu = np.where(classes > 0, 400, 0).astype(np.int16)
    nothing = np.zeros(classes.shape, np.int8)
    return Sample(
        spacing_mm=2.0,
        hu=None if drawn else hu,
        drawing=Drawing(classes, nothing, nothing) if drawn else None,
        allowed=allowed_from_classes(classes),
        instances=instances,
        centres_voxel=np.array(centres, np.float32),
        levels=np.array([20, 21, 22], np.uint8),
        ribs=np.array([0, 0, -1], np.int8),
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spacing", [2.0, 3.0])
def test_centres_follow_their_bodies_through_turning_zooming_and_flipping(seed: int, spacing: float) -> None:
    settings = AugmentSettings(bend_mm=0.0, crop=0.0)
    patch = draw_patch(a_sample(), (64, 64, 64), np.random.default_rng(seed), settings, None, spacing_mm=spacing)
    for label, centre in enumerate(patch.centres_voxel, start=1):
        body = np.argwhere((patch.instances == label) & (patch.allowed == 1 << 1))
        if len(body) and body.min() > 0 and body.max() < 63:
            assert np.linalg.norm(body.mean(0) - centre) < 0.6


def test_a_drawn_sample_gets_its_hu_from_the_drawer_it_is_given() -> None:
    def draw(drawing: Drawing, spacing_mm: float, rng: np.random.Generator) -> np.ndarray:
        return np.where(drawing.tissue > 0, 777.0, -50.0).astype(np.float32)

    rng = np.random.default_rng(0)
    still = AugmentSettings(gain=0.0, noise_hu=0.0, thick=0.0, crop=0.0)
    patch = draw_patch(a_sample(drawn=True), (64, 64, 64), rng, still, draw, spacing_mm=2.0)
    assert patch.hu.max() > 600
    with pytest.raises(ValueError, match="draw_hu"):
        draw_patch(a_sample(drawn=True), (64, 64, 64), rng, still, None, spacing_mm=2.0)


def test_outside_the_field_of_view_nothing_is_asked() -> None:
    settings = AugmentSettings(crop=1.0)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        patch = draw_patch(a_sample(), (64, 64, 64), rng, settings, None, spacing_mm=2.0)
        assert np.all(patch.allowed[~patch.seen] == ANY_CLASS)
        assert np.all(patch.hu[~patch.seen] == -1024)
        assert not targets_of(patch).heat_known[torch.from_numpy(~patch.seen)].any()


def test_unknown_truth_costs_nothing_and_a_set_of_classes_costs_what_lies_outside_it() -> None:
    patch = draw_patch(
        a_sample(), (32, 32, 32), np.random.default_rng(1), AugmentSettings(crop=0.0), None, spacing_mm=2.0
    )
    target = targets_of(patch)
    unknown = replace(target, allowed=torch.full_like(target.allowed, ANY_CLASS))
    logits = torch.randn(len(CLASSES), 32, 32, 32)
    assert float(class_loss(logits, unknown)) == 0.0
    either = replace(target, allowed=torch.full_like(target.allowed, 0b110), seen=torch.ones_like(target.seen))
    sure_body = torch.full((len(CLASSES), 32, 32, 32), -20.0)
    sure_body[1] = 20.0
    sure_rib = torch.full((len(CLASSES), 32, 32, 32), -20.0)
    sure_rib[5] = 20.0
    assert float(class_loss(sure_body, either)) < 0.01
    assert float(class_loss(sure_rib, either)) > 5.0


def test_heat_is_one_at_a_centre_and_offsets_lead_there() -> None:
    settings = AugmentSettings(bend_mm=0.0, crop=0.0)
    patch = draw_patch(a_sample(), (64, 64, 64), np.random.default_rng(3), settings, None, spacing_mm=2.0)
    target = targets_of(patch)
    for label, centre in enumerate(patch.centres_voxel, start=1):
        at = np.round(centre).astype(int)
        if np.all(at >= 0) and np.all(at < 64):
            assert float(target.heat[tuple(at)]) > 0.9
        for voxel in np.argwhere(patch.instances == label)[::200]:
            lead = voxel + target.offset[(slice(None), *voxel)].numpy() * 20.0 / patch.spacing_mm
            assert np.allclose(lead, centre, atol=1e-3)


def test_samples_survive_the_disk(tmp_path: Path) -> None:
    for drawn in (True, False):
        save_sample(a_sample(drawn=drawn), tmp_path / "a.npz")
        back = load_sample(tmp_path / "a.npz")
        assert (back.hu is None) is drawn
        assert np.array_equal(back.allowed, a_sample().allowed)
        assert np.array_equal(back.levels, a_sample().levels)


@pytest.mark.parametrize(("make", "loss"), [(finder, finder_loss), (segmenter, segmenter_loss)])
def test_a_run_learns_goes_on_where_it_stopped_and_can_be_exported(tmp_path: Path, make, loss) -> None:
    samples = tmp_path / "samples"
    samples.mkdir()
    save_sample(a_sample(), samples / "one.npz")
    patches = Patches(
        [(samples, 1.0)],
        skip=(),
        draw_hu=None,
        augment=AugmentSettings(),
        shapes=((64, 32, 32),),
        spacing_mm=2.0,
        seed=0,
    )
    run = tmp_path / "run"
    settings = LoopSettings(steps=10, batch=1, save_every=5, warm_up=1, workers=0, threads=1)
    told: list[int] = []
    train(make(), loss, patches, run, settings, report=lambda p: told.append(p.step))
    path = train(make(), loss, patches, run, replace(settings, steps=15), report=lambda p: told.append(p.step))
    assert told == [5, 10, 15]
    kept = torch.load(path, weights_only=True)
    assert (kept["step"], kept["since"]) == (15, 15)
    assert kept["seconds"] > 0
    assert (run / "curve.csv").read_text().count("\n") == 2
    export_onnx(make(), path, tmp_path / "net.onnx")
    net = make()
    net.load_state_dict(torch.load(path, weights_only=True)["mean"])
    image = np.random.default_rng(0).normal(0, 0.5, (2, 64, 32, 96)).astype(np.float32)
    dense, coarse = open_network(tmp_path / "net.onnx", threads=1).run(image)
    with torch.no_grad():
        expected, expected_coarse = net.eval()(torch.from_numpy(image)[None])
    assert np.abs(dense - expected[0].numpy()).max() < 0.05
    assert np.abs(coarse - expected_coarse[0].numpy()).max() < 0.05
    assert dense.shape[0] in {FINDER_DENSE, len(CLASSES) + 3}
    assert coarse.shape[0] == FINDER_COARSE


def test_an_empty_folder_of_samples_is_a_sentence(tmp_path: Path) -> None:
    patches = Patches(
        [(tmp_path, 1.0)],
        skip=(),
        draw_hu=None,
        augment=AugmentSettings(),
        shapes=((32, 32, 32),),
        spacing_mm=2.0,
        seed=0,
    )
    with pytest.raises(ValueError, match="no training samples"):
        next(iter(patches))

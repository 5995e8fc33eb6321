"""Adversarial changes: through the same weights as the exported files, inside their bound, and to the worse."""

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

from wirbel.errors import ModelError  # noqa: E402
from wirbel.etiology.network_input import InputKind, network_input  # noqa: E402
from wirbel.network.bundle import load_bundle  # noqa: E402
from wirbel.network.fracture import FractureNetworks, open_fracture  # noqa: E402
from wirbel.training.fracture.attack import attacked, channels_of, torch_members  # noqa: E402
from wirbel.training.fracture.batches import MARKS, SIGNS  # noqa: E402
from wirbel.training.fracture.bundle import write_ensemble  # noqa: E402
from wirbel.training.fracture.nets import FractureNet, Lessons  # noqa: E402
from wirbel.training.fracture.recipe import recipe_named  # noqa: E402

N = 3
MALIGNANT = np.array([True, False, True])


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> FractureNetworks:
    """Two members with drawn weights, as they are exported."""
    base = tmp_path_factory.mktemp("ensemble")
    paths = []
    for k in range(2):
        torch.manual_seed(k)
        lessons = Lessons(marks=MARKS, signs=len(SIGNS)).state_dict()
        torch.save({"best": FractureNet("context").state_dict(), "lessons": lessons}, base / f"{k}.pt")
        paths.append(base / f"{k}.pt")
    bundle = write_ensemble(
        base / "bundle", recipe_named("b2"), paths, name="drawn", version="0", trained_on="nothing", simulated=True,
        made_by={}, by_paint=True,
    )  # fmt: skip
    return open_fracture(load_bundle(bundle.folder), threads=1)


@pytest.fixture(scope="module")
def crops() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    hu = rng.normal(60, 200, (N, 64, 64, 64)).astype(np.int16)
    mask = np.zeros(hu.shape, np.uint8)
    mask[:, 20:44, 20:44, 20:44] = 1
    mask[:, 48:, 20:44, 20:44] = 2
    mask[1, :6] = 4
    return hu, mask


@pytest.mark.parametrize("kind", ["context", "masked"])
def test_the_input_is_that_of_training_and_use(crops: tuple[np.ndarray, np.ndarray], kind: InputKind) -> None:
    hu, mask = crops
    ours = channels_of(torch.from_numpy(hu.astype(np.float32)), mask, kind).numpy()
    theirs = np.stack([network_input(h, m, kind) for h, m in zip(hu, mask, strict=True)])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_torch_says_what_the_exported_files_say(
    networks: FractureNetworks, crops: tuple[np.ndarray, np.ndarray]
) -> None:
    hu, mask = crops
    images = channels_of(torch.from_numpy(hu.astype(np.float32)), mask, "context")
    ours = torch.stack([member(images) for member in torch_members(networks)], dim=1).numpy()
    np.testing.assert_allclose(ours, networks.score(hu, mask).log_odds, atol=1e-3)


def test_an_attack_stays_inside_its_bound_and_lowers_every_margin(
    networks: FractureNetworks, crops: tuple[np.ndarray, np.ndarray]
) -> None:
    hu, mask = crops
    members = torch_members(networks)
    side = np.where(MALIGNANT, 1.0, -1.0)
    before = side * networks.score(hu, mask).log_odds.mean(1)
    margins = [before]
    for bound in (2, 10):
        worse = attacked(members, "context", hu, mask, MALIGNANT, bound_hu=bound, steps=3)
        off = worse.astype(int) - hu
        assert np.abs(off).max() == bound
        margins.append(side * networks.score(worse, mask).log_odds.mean(1))
    assert (margins[1] < margins[0]).all()
    assert (margins[2] < margins[1]).all()


def test_noise_of_the_same_size_does_far_less(
    networks: FractureNetworks, crops: tuple[np.ndarray, np.ndarray]
) -> None:
    hu, mask = crops
    before = networks.score(hu, mask).log_odds.mean(1)
    worse = attacked(torch_members(networks), "context", hu, mask, MALIGNANT, bound_hu=5, steps=3)
    signs = np.random.default_rng(4).choice(np.array([-5, 5], np.int16), hu.shape)
    moved, shaken = (np.abs(networks.score(h, mask).log_odds.mean(1) - before) for h in (worse, hu + signs))
    assert (moved > 3 * shaken).all()


def test_a_network_built_otherwise_is_refused(networks: FractureNetworks) -> None:
    path = networks.bundle.onnx(networks.about.members[0])
    kept = path.read_bytes()
    model = onnx.load(str(path))
    next(node for node in model.graph.node if "log_odds" in node.output).op_type = "Neg"
    onnx.save(model, str(path))
    try:
        with pytest.raises(ModelError, match="Neg"):
            torch_members(networks)
    finally:
        path.write_bytes(kept)

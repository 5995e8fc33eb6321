"""Training of the classifiers: what is refused, what goes on after a kill, what is exported."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.drawn_crops import SIDE, crops_in, quiet, some_rows  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from wirbel.cli.main import app  # noqa: E402
from wirbel.errors import InputRejected, UsageError, WirbelError  # noqa: E402
from wirbel.etiology.network_input import central, network_input  # noqa: E402
from wirbel.network.bundle import load_bundle  # noqa: E402
from wirbel.network.fracture import open_fracture  # noqa: E402
from wirbel.phantom.cases.scene import Mark  # noqa: E402
from wirbel.training.fracture.batches import MARKS, SIGNS  # noqa: E402
from wirbel.training.fracture.bundle import trained_net  # noqa: E402
from wirbel.training.fracture.crop_rows import must_be_sound, open_crops  # noqa: E402
from wirbel.training.fracture.earlier import earlier_run  # noqa: E402
from wirbel.training.fracture.fit import FitSettings, best_lessons, best_weights, fit_member  # noqa: E402
from wirbel.training.fracture.nets import Lessons, StudyNet  # noqa: E402
from wirbel.training.fracture.recipe import RECIPES, chosen, recipe_named  # noqa: E402
from wirbel.training.fracture.run import FracturePlan, train_fracture  # noqa: E402
from wirbel.training.fracture.scores import read_scores  # noqa: E402

QUICK = FitSettings(epochs=1, batch=4, warm_up=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Crops, and the run folder of a short training on them."""
    base = tmp_path_factory.mktemp("trained")
    crops = crops_in(base / "crops", some_rows())
    options = ["--model", "b1", "--folds", "2", "--epochs", "1", "--batch", "4", "--device", "cpu"]
    done = CliRunner().invoke(app, ["train", "fracture", str(crops), "-o", str(base / "run"), *options])
    assert done.exit_code == 0, done.output
    return crops, base / "run"


def test_a_run_folder_tells_what_was_done(trained: tuple[Path, Path]) -> None:
    config = json.loads((trained[1] / "config.json").read_text())
    assert config["simulated"] is True
    assert config["plan"]["fit"]["seed"] == 1
    assert config["crops"] == 8 and config["malignant"] == 4
    assert len(config["data_sha256"]) == 64
    assert "torch" in config["environment"]
    with (trained[1] / "fold_0" / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [r["epoch"] for r in rows] == ["1"]
    assert 0 < float(rows[0]["validation_loss"]) < 5


def test_the_card_says_simulated_and_what_it_is_not_for(trained: tuple[Path, Path]) -> None:
    card = (trained[1] / "bundle" / "MODEL_CARD.md").read_text()
    assert "simulated data only" in card
    assert "Research use only" in card
    assert "was not trained with sound ones" in card
    assert "| out_of_fold (fractures) | 8 | 4 |" in card


def test_training_crops_are_scored_by_the_member_that_never_saw_them(trained: tuple[Path, Path]) -> None:
    with (trained[1] / "scores.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert sorted(int(r["row"]) for r in rows) == list(range(10))
    learnt = chosen(open_crops(trained[0]).rows, recipe_named("b1"), folds=2, seed=1)
    fold = {u.crop.row: u.fold for u in learnt}
    for r in rows:
        given = [k for k in range(2) if r[f"member_{k}"]]
        assert given == ([fold[int(r["row"])]] if r["set"] == "out_of_fold" else [0, 1])
        assert r["set"] == ("out_of_fold" if int(r["row"]) < 8 else "test")
        assert (r["feature_0"] != "") == (r["set"] == "test")
    whole = load_bundle(trained[1] / "bundle").sha256
    again = read_scores(trained[1] / "scores.tsv", scorer=whole)
    assert [len(s.features) for s in again] == [0] * 8 + [2 * 96] * 2
    data = open_crops(trained[0])
    said = open_fracture(load_bundle(trained[1] / "bundle")).score(data.hu[8:9], data.mask[8:9])
    np.testing.assert_allclose(again[8].features, said.features[0], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose([m for m in again[8].members if m is not None], said.log_odds[0], atol=1e-4)


def test_what_is_exported_says_what_torch_says(trained: tuple[Path, Path]) -> None:
    crops, run = trained
    networks = open_fracture(load_bundle(run / "bundle"))
    data = open_crops(crops)
    said = networks.score(data.hu[:3], data.mask[:3])
    middles = [(central(data.hu[i]), np.ascontiguousarray(central(data.mask[i]))) for i in range(3)]
    images = np.stack([network_input(hu, mask, "context") for hu, mask in middles])
    for k in range(2):
        net = trained_net(recipe_named("b1"), run / f"fold_{k}" / "checkpoint.pt")
        with torch.no_grad():
            log_odds, features, maps = net(torch.from_numpy(images))
        np.testing.assert_allclose(said.log_odds[:, k], log_odds.numpy(), atol=5e-3)
        np.testing.assert_allclose(said.maps[k], maps.numpy(), atol=2e-2)
        assert maps.shape[2:] == (8, 8, 8)
        head = networks.about.heads[k]
        by_hand = features.double().numpy() @ head.weights + head.bias
        np.testing.assert_allclose(by_hand, log_odds.numpy(), atol=1e-4)


@pytest.mark.parametrize("painted", [True, False])
def test_only_who_was_taught_by_paint_says_where_lesions_are(tmp_path: Path, painted: bool) -> None:
    crops = crops_in(tmp_path / "crops", some_rows())
    if painted:
        np.save(crops / "marks.npy", np.zeros((10, SIDE, SIDE, SIDE), np.uint8))
    plan = FracturePlan(model="b1", folds=2, fit=QUICK, device="cpu")
    bundle = train_fracture(crops, tmp_path / "run", plan, say=quiet)
    data = open_crops(crops)
    said = open_fracture(load_bundle(bundle), threads=1).score(data.hu[:2], data.mask[:2])
    assert len(said.lesions) == (2 if painted else 0)
    if painted:
        net = trained_net(recipe_named("b1"), tmp_path / "run" / "fold_1" / "checkpoint.pt")
        lessons = best_lessons(tmp_path / "run" / "fold_1" / "checkpoint.pt")
        images = [network_input(central(data.hu[i]), central(data.mask[i]), "context") for i in range(2)]
        with torch.no_grad():
            seen = lessons.lesion(net.encode(torch.from_numpy(np.stack(images)))[0])
        np.testing.assert_allclose(said.lesions[1], seen.numpy(), atol=5e-3)
        assert said.lesions[1].shape == (2, 16, 16, 16) and 0 < said.lesions[1].max() < 1
        (crops / "marks.npy").unlink()
        with pytest.raises(UsageError, match="another truth of what was painted"):
            train_fracture(crops, tmp_path / "run", plan, say=quiet)


@pytest.mark.parametrize("mark", list(Mark)[1:])
def test_a_lesion_is_what_malignant_vertebrae_are_painted_with(mark: Mark) -> None:
    """Heads that see one kind of paint everywhere, and no other."""
    lessons = Lessons(marks=MARKS, signs=len(SIGNS))
    with torch.no_grad():
        lessons.middle.weight.zero_()
        lessons.middle.bias.fill_(-9.0)
        lessons.middle.bias[int(mark) - 1] = 9.0
    told = {"LYTIC", "SCLEROTIC", "CORTEX", "PEDICLE", "EPIDURAL", "PARAVERTEBRAL"}
    assert (lessons.lesion(torch.zeros(1, 64, 16, 16, 16)) > 0.5).all() == (mark.name in told)


def test_the_lessons_of_the_best_epoch_are_kept(tmp_path: Path) -> None:
    """With hardly any rate no later epoch is better, but weights still move."""
    crops = crops_in(tmp_path / "crops", some_rows())
    np.save(crops / "marks.npy", np.full((10, SIDE, SIDE, SIDE), 1, np.uint8))
    data, recipe = open_crops(crops), recipe_named("b1")
    learnt = chosen(data.rows, recipe, folds=2, seed=1)
    kept = []
    for epochs in (1, 2):
        settings = replace(QUICK, epochs=epochs, learning_rate=0.05)
        path = fit_member(data, recipe, learnt, 0, tmp_path / "fold", settings, device=torch.device("cpu"))
        kept.append(torch.load(path, weights_only=True))
    assert not torch.equal(kept[1]["lessons"]["middle.bias"], kept[0]["lessons"]["middle.bias"])
    best = kept[0 if kept[1]["best_loss"] == kept[0]["best_loss"] else 1]["lessons"]["middle.bias"]
    assert torch.equal(best_lessons(path).middle.bias, best)


def test_a_finished_run_is_not_trained_again_and_another_seed_needs_another_folder(
    trained: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    crops, run = trained
    before = (run / "bundle" / "b1_0.onnx").read_bytes()
    plan = FracturePlan(model="b1", folds=2, fit=QUICK, device="cpu")
    said: list[str] = []
    train_fracture(crops, run, plan, say=said.append)
    assert not any("epoch" in line for line in said)
    assert (run / "bundle" / "b1_0.onnx").read_bytes() == before
    with pytest.raises(UsageError, match=r"another (seed|folds)"):
        train_fracture(crops, run, replace(plan, fit=replace(QUICK, seed=2)), say=quiet)
    with pytest.raises(UsageError, match="another model"):
        train_fracture(crops, run, replace(plan, model="a1"), say=quiet)


def test_a_killed_member_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    data = open_crops(crops_in(tmp_path / "crops", some_rows()))
    recipe = recipe_named("a1")
    learnt = chosen(data.rows, recipe, folds=2, seed=1)
    settings = replace(QUICK, epochs=2)
    cpu = torch.device("cpu")

    def killed(_done: object) -> None:
        raise KeyboardInterrupt

    whole = fit_member(data, recipe, learnt, 0, tmp_path / "whole", settings, device=cpu)
    with pytest.raises(KeyboardInterrupt):
        fit_member(data, recipe, learnt, 0, tmp_path / "cut", settings, device=cpu, say=killed)
    torch.manual_seed(99)
    cut = fit_member(data, recipe, learnt, 0, tmp_path / "cut", settings, device=cpu)
    a, b = (torch.load(p, weights_only=True)["net"] for p in (whole, cut))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert set(best_weights(cut)) == set(a)


def _other_class(rows: list[dict[str, str]]) -> None:
    rows[3]["class"] = "arthritis"


def _one_class(rows: list[dict[str, str]]) -> None:
    for row in rows:
        row["class"] = "malignant_fracture"


def _three_patients(rows: list[dict[str, str]]) -> None:
    del rows[3:]


def _two_splits(rows: list[dict[str, str]]) -> None:
    rows[-1]["patient"], rows[-1]["vertebra"] = "p0", "L2"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_other_class, "class 'arthritis' is none of"),
        (_one_class, "all 8 training crops are malignant"),
        (_three_patients, "too few for 2 folds"),
        (_two_splits, "two splits"),
    ],
)
def test_a_table_that_cannot_serve_is_refused_and_nothing_is_written(
    tmp_path: Path, spoil: Callable[[list[dict[str, str]]], None], says: str
) -> None:
    rows = some_rows()
    spoil(rows)
    crops = crops_in(tmp_path / "crops", rows)
    with pytest.raises(InputRejected, match=says) as told:
        train_fracture(crops, tmp_path / "run", FracturePlan(folds=2, model="b1", fit=QUICK), say=quiet)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "run").exists()


def test_a_crop_with_nan_and_a_crop_without_mask_are_named(tmp_path: Path) -> None:
    crops = crops_in(tmp_path / "crops", some_rows())
    data = open_crops(crops)
    hu = np.array(data.hu, np.float32)
    hu[5, 3, 3, 3] = np.nan
    with pytest.raises(InputRejected, match=r"crop 5 .*no numbers"):
        must_be_sound(replace(data, hu=hu), data.training)
    must_be_sound(data, data.training)
    mask = np.load(crops / "mask.npy")
    mask[2] = 2
    np.save(crops / "mask.npy", mask)
    plan = FracturePlan(folds=2, model="b1", fit=QUICK)
    with pytest.raises(InputRejected, match=r"crop 2 .*no mask"):
        train_fracture(crops, tmp_path / "run", plan, say=quiet)
    assert not (tmp_path / "run").exists()


def test_no_such_model_device_or_folder(tmp_path: Path) -> None:
    crops = crops_in(tmp_path / "crops", some_rows())
    wrong: list[tuple[Path, FracturePlan]] = [
        (crops, FracturePlan(model="c9")),
        (crops, FracturePlan(model="b1", folds=1)),
        (crops, FracturePlan(model="b1", folds=2, device="abacus")),
        (tmp_path, FracturePlan()),
    ]
    for folder, plan in wrong:
        with pytest.raises(WirbelError):
            train_fracture(folder, tmp_path / "run", plan, say=quiet)
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        train_fracture(crops, full, FracturePlan(model="b1", folds=2, fit=QUICK), say=quiet)


def test_a_cohort_that_is_being_drawn_gives_what_is_there_and_names_what_is_not_complete(tmp_path: Path) -> None:
    rows = some_rows()
    crops = crops_in(tmp_path / "crops", rows)
    (crops / "crops.json").unlink()
    kinds = ("osteoporotic", "malignant", "lesions", "normal", "mimics", "discitis")
    arms = [{"name": n, **dict.fromkeys(kinds, 0), "malignant": size} for n, size in (("train", 8), ("test", 2))]
    settings = {"voxels": 32, "spacing_mm": 2.0, "arms": arms}
    said = {"settings_sha256": "ab", "crops": len(rows), "settings": settings}
    (crops / "cohort.json").write_text(json.dumps(said))
    lines = [
        json.dumps({"patient": r["patient"], "rows": [[r, {"row": str(i), "lytic_mm3": "5"}]]}) + "\n"
        for i, r in enumerate(rows)
    ]
    (crops / "progress.jsonl").write_text("".join(reversed(lines[:9])) + lines[9][:20])
    data = open_crops(crops)
    assert data.simulated
    assert data.unfinished == ("test",)
    assert [r.row for r in data.rows] == list(range(9))
    assert dict(data.made_by)["settings_sha256"] == "ab"
    (crops / "progress.jsonl").write_text("".join(lines[:5]))
    with pytest.raises(UsageError, match="no arm is complete"):
        open_crops(crops)
    (crops / "progress.jsonl").write_text("".join(lines[:5] + lines[8:]))
    with pytest.raises(UsageError, match="train is not complete"):
        train_fracture(crops, tmp_path / "run", FracturePlan(model="b1", folds=2, fit=QUICK), say=quiet)


def test_patients_stay_whole_and_the_cohort_s_own_folds_are_kept(tmp_path: Path) -> None:
    rows = some_rows(16)
    for k in range(4):
        rows.append({**rows[k], "vertebra": "L2"})
    for k, row in enumerate(rows):
        row["fold"] = "" if row["split"] == "test" else str(1 + (int(row["patient"][1:]) // 2) % 2)
        rows[k] = row
    data = open_crops(crops_in(tmp_path / "crops", rows))
    own = chosen(data.rows, RECIPES["a1"], folds=2, seed=1)
    assert all(u.fold == u.crop.fold - 1 for u in own if u.crop.fold is not None)
    dealt = chosen(data.rows, RECIPES["a1"], folds=3, seed=1)
    assert {u.fold for u in dealt} == {0, 1, 2}
    for patient in {u.crop.patient for u in dealt}:
        assert len({u.fold for u in dealt if u.crop.patient == patient}) == 1
    assert dealt == chosen(data.rows, RECIPES["a1"], folds=3, seed=1)


def test_what_each_model_learns_from() -> None:
    assert {r.name: (r.kind, len(r.classes), r.trained_with_normals) for r in RECIPES.values()} == {
        "a1": ("masked", 2, False),
        "a2": ("masked", 3, False),
        "b1": ("context", 2, False),
        "b2": ("context", 5, True),
        "d": ("context", 2, False),
    }
    assert [r.name for r in RECIPES.values() if r.by_slices] == ["d"]


def test_the_study_s_network_has_its_published_size() -> None:
    count = sum(p.numel() for p in StudyNet().parameters())
    assert count == pytest.approx(4.88e6, rel=0.02)


def test_a_run_begins_with_the_weights_of_another_that_has_its_folds(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    crops, run = trained
    still = replace(QUICK, learning_rate=1e-9)
    plan = FracturePlan(model="b1", folds=2, fit=still, device="cpu", start=run)
    train_fracture(crops, tmp_path / "on", plan, say=quiet)
    for k in range(2):
        before, after = (best_weights(r / f"fold_{k}" / "checkpoint.pt") for r in (run, tmp_path / "on"))
        for name, weights in before.items():
            if name.endswith("weight"):
                torch.testing.assert_close(after[name], weights, atol=1e-6, rtol=0)
    said = json.loads((tmp_path / "on" / "config.json").read_text())["plan"]["start"]
    assert said == {"run": run.name, "data_sha256": json.loads((run / "config.json").read_text())["data_sha256"]}


def test_who_begins_with_another_run_takes_its_folds(trained: tuple[Path, Path], tmp_path: Path) -> None:
    crops, run = trained
    learnt = chosen(open_crops(crops).rows, recipe_named("b1"), folds=2, seed=2)
    before = {u.crop.patient: u.fold for u in chosen(open_crops(crops).rows, recipe_named("b1"), folds=2, seed=1)}
    assert any(before[u.crop.patient] != u.fold for u in learnt)
    folded = earlier_run(run, recipe_named("b1"), 2).folded(learnt)
    assert {u.crop.patient: u.fold for u in folded} == before
    new = replace(learnt[0], crop=replace(learnt[0].crop, patient="new"), fold=1)
    assert earlier_run(run, recipe_named("b1"), 2).folded((*learnt, new))[-1].fold == 1
    plan = FracturePlan(model="b1", folds=3, fit=QUICK, device="cpu", start=run)
    with pytest.raises(UsageError, match="has not 3 members"):
        earlier_run(run, recipe_named("b1"), 3)
    with pytest.raises(UsageError, match="a1 cannot begin with it"):
        train_fracture(crops, tmp_path / "on", replace(plan, model="a1", folds=2), say=quiet)
    with pytest.raises(UsageError, match="no run to begin with"):
        train_fracture(crops, tmp_path / "on", replace(plan, folds=2, start=tmp_path), say=quiet)
    assert not (tmp_path / "on").exists()


@pytest.mark.slow
def test_a_hole_in_the_bone_is_learnt(tmp_path: Path) -> None:
    crops = crops_in(tmp_path / "crops", some_rows(40))
    plan = FracturePlan(model="b1", folds=2, fit=replace(QUICK, epochs=14, learning_rate=2e-3))
    train_fracture(crops, tmp_path / "run", plan, say=quiet)
    with (tmp_path / "run" / "figures.tsv").open() as file:
        out_of_fold = next(csv.DictReader(file, delimiter="\t"))
    assert float(out_of_fold["auc"]) > 0.95

"""The model whose slices vote: what a vote is, what each slice learns, scores without a bundle."""

import csv
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.drawn_crops import crops_in, quiet, some_rows  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from wirbel.cli.main import app  # noqa: E402
from wirbel.training.fracture.crop_rows import open_crops  # noqa: E402
from wirbel.training.fracture.fit import FitSettings  # noqa: E402
from wirbel.training.fracture.nets import FractureNet, class_loss  # noqa: E402
from wirbel.training.fracture.recipe import chosen, recipe_named  # noqa: E402
from wirbel.training.fracture.run import FracturePlan, train_fracture  # noqa: E402
from wirbel.training.fracture.slice_net import FROM_MIDDLE, SliceNet, voted  # noqa: E402


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Crops, and the run folder of one epoch on them."""
    base = tmp_path_factory.mktemp("slices")
    crops = crops_in(base / "crops", some_rows())
    options = ["--model", "d", "--folds", "2", "--epochs", "1", "--batch", "4", "--device", "cpu"]
    done = CliRunner().invoke(app, ["train", "fracture", str(crops), "-o", str(base / "run"), *options])
    assert done.exit_code == 0, done.output
    return crops, base / "run"


def test_a_vote_is_the_mean_of_the_slices_probabilities() -> None:
    log_odds = torch.tensor([[-2.0, 0.0, 3.0], [0.5, 0.5, 0.5], [-60.0, -60.0, -60.0]], dtype=torch.float64)
    mean = torch.sigmoid(log_odds).mean(1)
    np.testing.assert_allclose(torch.sigmoid(voted(log_odds)).numpy(), mean.numpy(), rtol=1e-12)
    assert float(voted(log_odds)[2]) == pytest.approx(-60.0)


def test_each_slice_is_judged_by_itself() -> None:
    torch.manual_seed(0)
    net = SliceNet("context").eval()
    crops = torch.randn(2, 4, 64, 64, 64)
    changed = crops.clone()
    changed[0, :, :, :, 32 + FROM_MIDDLE[3]] += 2.0
    changed[1, :, :, :, 32 + FROM_MIDDLE[3] + 1] += 2.0
    with torch.no_grad():
        before, after = (net.each_slice(net.encode(c)[1])[0] for c in (crops, changed))
    moved = (before - after).abs() > 1e-6
    assert moved[0].tolist() == [k == 3 for k in range(len(FROM_MIDDLE))]
    # a sagittal plane between two of the slices is not seen
    assert not moved[1].any()


def test_every_slice_learns_the_class_and_not_only_their_vote() -> None:
    net = SliceNet("context").eval()
    maps = torch.zeros(1, len(FROM_MIDDLE), 64, 8, 8)
    maps[0, 0] = 5.0
    with torch.no_grad():
        own, _ = net.each_slice(maps)
        loss, _ = class_loss(net, maps, torch.tensor([1.0]))
    assert float(loss) == pytest.approx(float(torch.nn.functional.softplus(-own).mean()), rel=1e-5)
    whole = FractureNet("context").eval()
    features = torch.randn(2, 96, 8, 8, 8)
    with torch.no_grad():
        said, _ = whole.judge(features)
        loss, _ = class_loss(whole, features, torch.tensor([1.0, 0.0]))
    expected = (torch.nn.functional.softplus(-said[0]) + torch.nn.functional.softplus(said[1])) / 2
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_training_crops_are_scored_by_the_member_that_never_saw_them(trained: tuple[Path, Path]) -> None:
    crops, run = trained
    with (run / "scores.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert sorted(int(r["row"]) for r in rows) == list(range(10))
    fold = {u.crop.row: u.fold for u in chosen(open_crops(crops).rows, recipe_named("d"), folds=2, seed=1)}
    for r in rows:
        given = [k for k in range(2) if r[f"member_{k}"]]
        assert given == ([fold[int(r["row"])]] if r["set"] == "out_of_fold" else [0, 1])
    assert {r["set"] for r in rows} == {"out_of_fold", "test"}
    figures = (run / "figures.tsv").read_text("utf-8").splitlines()
    assert figures[0].endswith("data") and all(line.endswith("simulated") for line in figures[1:])


def test_nothing_ships_and_a_finished_run_is_not_scored_again(trained: tuple[Path, Path]) -> None:
    crops, run = trained
    assert not (run / "bundle").exists()
    before = (run / "scores.tsv").read_bytes()
    said: list[str] = []
    fit = FitSettings(epochs=1, batch=4)
    train_fracture(crops, run, FracturePlan(model="d", folds=2, fit=fit, device="cpu"), say=said.append)
    assert not any("scored" in line or "epoch" in line for line in said)
    # what a stopped scoring left out is scored when the run goes on
    kept = [line for line in before.decode().splitlines() if "\ttest\t" not in line]
    (run / "scores.tsv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    train_fracture(crops, run, FracturePlan(model="d", folds=2, fit=fit, device="cpu"), say=quiet)
    assert (run / "scores.tsv").read_bytes() == before

"""Classifiers from signs: honest folds, missing values, a fusion that learns from training crops alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.network.tiny_bundle import SIDE, SPACING_MM, tiny_bundle

pytest.importorskip("sklearn")

from wirbel.cohort.signs import COLUMNS
from wirbel.errors import InputRejected, UsageError
from wirbel.etiology.sign_model import read_models
from wirbel.finding.signs import Sign
from wirbel.network.bundle import load_bundle
from wirbel.network.fracture_scorer import open_scorer
from wirbel.training.sign_scores import read_log_odds
from wirbel.training.signs import NAMES, SignRecipe, sign_table, train_signs

SMALL = SignRecipe(trees=20)
INDEX = ("patient", "vertebra", "class", "split", "fold", "age", "sex", "arm")


def cohort(
    folder: Path,
    patients: int = 120,
    telling: float = 1.5,
    seed: int = 3,
    kept_for_calibration: float = 0.6,
) -> tuple[Path, Path]:
    """Two vertebrae a patient; cortex tells the classes apart, half of the sharpness values are missing.

    The first 0.6 of the patients train, those up to `kept_for_calibration` calibrate, the others test.
    """
    rng = np.random.default_rng(seed)
    index, signs = ["\t".join(INDEX)], ["\t".join(COLUMNS)]
    for k in range(2 * patients):
        p = k // 2
        malignant = p % 2 == 1
        kept = p < kept_for_calibration * patients
        split = "train" if p < 0.6 * patients else "calibration" if kept else "test"
        kind = "malignant_fracture" if malignant else "osteoporotic_fracture"
        arm = "large_test" if split == "test" else split
        level = ("T12", "L1")[k % 2]
        index.append("\t".join([f"p{p}", level, kind, split, str(p % 5), "70", "F" if p % 3 else "M", arm]))
        values = {sign: rng.normal() for sign in Sign}
        values[Sign.CORTEX] = rng.normal() + telling * malignant
        cells = (
            "" if s is Sign.LINE_SHARPNESS and rng.uniform() < 0.5 else f"{v:.4f}" for s, v in values.items()
        )
        signs.append("\t".join([str(k), *cells]))
    (folder / "index.tsv").write_text("\n".join(index) + "\n", encoding="utf-8")
    (folder / "signs.tsv").write_text("\n".join(signs) + "\n", encoding="utf-8")
    return folder, folder / "signs.tsv"


def test_a_training_crop_is_judged_only_by_the_member_that_never_saw_its_patient(tmp_path: Path) -> None:
    crops, signs = cohort(tmp_path)
    run = train_signs(crops, signs, tmp_path / "e", SMALL)
    lines = [line.split("\t") for line in (tmp_path / "e/scores.tsv").read_text("utf-8").splitlines()]
    assert lines[0] == ["row", "set", *(f"member_{k}" for k in range(5))]
    for cells in lines[1:]:
        row, given = int(cells[0]), [k for k, cell in enumerate(cells[2:]) if cell]
        patient = row // 2
        if patient < 72:
            assert (cells[1], given) == ("out_of_fold", [patient % 5])
        else:
            assert (cells[1], given) == ("large_test", [0, 1, 2, 3, 4])
    found = {(f.name, f.set): f.auc for f in run.figures}
    # two normals 1.5 SD apart: 0.856; the models cannot beat the one sign that tells, nor fall far behind it
    assert 0.75 < found["e", "large_test"] < 0.95
    assert 0.75 < found["boosted", "large_test"] < 0.95
    assert found["cortex_destroyed_fraction", "large_test"] > 0.75


def test_signs_that_tell_nothing_do_not_look_as_if_they_did(tmp_path: Path) -> None:
    crops, signs = cohort(tmp_path, telling=0.0)
    run = train_signs(crops, signs, tmp_path / "e", SMALL)
    found = {(f.name, f.set): f.auc for f in run.figures}
    assert 0.33 < found["e", "train"] < 0.67
    assert 0.33 < found["boosted", "train"] < 0.67


def test_the_model_read_from_its_file_gives_the_scores_without_a_learning_library(tmp_path: Path) -> None:
    crops, signs = cohort(tmp_path)
    run = train_signs(crops, signs, tmp_path / "e", SMALL)
    table = sign_table(crops, signs, 5)
    model = read_models(tmp_path / "e/models.json")["member_2"]
    k = 200
    values = {n: float(v) for n, v in zip(NAMES, table.values[k], strict=True) if np.isfinite(v)}
    assert model.log_odds(values) == pytest.approx(float(run.scores["e"].members[k, 2]), abs=1e-9)


def test_a_fusion_learns_its_weights_from_training_crops_alone(tmp_path: Path) -> None:
    crops, signs = cohort(tmp_path)
    rng = np.random.default_rng(0)

    def scores(path: Path, upside_down_in_test: bool) -> Path:
        lines = ["row\tset\tmember_0\tmember_1"]
        for k in range(240):
            good = rng.normal() + 2.0 * ((k // 2) % 2) - 1.0
            train = k // 2 < 72
            said = good if train or not upside_down_in_test else -good
            lines.append(f"{k}\t{'out_of_fold' if train else 'large_test'}\t{said:.4f}\t" + ("" if train else "0"))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    good = train_signs(crops, signs, tmp_path / "f", SMALL, fuse_with={"b2": scores(tmp_path / "b.tsv", False)})
    found = {(f.name, f.set): f.auc for f in good.figures}
    assert found["b2+e", "large_test"] > found["e", "large_test"] + 0.03
    fooled = train_signs(crops, signs, tmp_path / "g", SMALL, fuse_with={"b2": scores(tmp_path / "c.tsv", True)})
    assert {(f.name, f.set): f.auc for f in fooled.figures}["b2+e", "large_test"] < 0.75
    assert read_log_odds(tmp_path / "f/b2+e/scores.tsv").keys() == set(range(240))


def test_several_scores_are_fused_each_alone_and_all_together(tmp_path: Path) -> None:
    crops, signs = cohort(tmp_path, patients=200)
    rng = np.random.default_rng(2)

    def scores(name: str, rows: int) -> Path:
        lines = ["row\tset\tmember_0"]
        for k in range(rows):
            said = rng.normal() + 1.5 * ((k // 2) % 2)
            lines.append(f"{k}\t{'out_of_fold' if k < 240 else 'large_test'}\t{said:.4f}")
        path = tmp_path / f"{name}.tsv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    said: list[str] = []
    given = {"b2": scores("b2", 400), "c": scores("c", 390)}
    run = train_signs(crops, signs, tmp_path / "f", SMALL, fuse_with=given, say=said.append)
    found = {(f.name, f.set): f.auc for f in run.figures}
    # each of three independent opinions adds to the others: 0.86 alone, 0.97 together
    together = found["b2+c+e", "large_test"]
    assert together > max(found["b2+e", "large_test"], found["c+e", "large_test"]) + 0.01
    assert together > found["e", "large_test"] + 0.05
    each = ("b2", "c", "b2+c")
    assert [line.split(":")[0] for line in said] == [f"{name}+{own}" for name in each for own in ("e", "boosted")]
    assert len(said[-1].split(", ")) == 4
    # a crop that one of them has not scored has no score
    assert set(read_log_odds(tmp_path / "f/b2+c+e/scores.tsv")) == set(range(390))
    assert set(read_log_odds(tmp_path / "f/b2+e/scores.tsv")) == set(range(400))


def with_images(folder: Path, crops: int) -> None:
    """Crops of noise for the tiny networks; their classes are told by the signs alone."""
    rng = np.random.default_rng(5)
    hu = rng.integers(-200, 800, (crops, SIDE, SIDE, SIDE)).astype(np.int16)
    mask = np.zeros(hu.shape, np.uint8)
    mask[:, 4:12, 4:12, 4:12] = 1
    np.save(folder / "hu.npy", hu)
    np.save(folder / "mask.npy", mask)
    said = {"size": [SIDE] * 3, "spacing_mm": SPACING_MM, "simulated": True}
    (folder / "crops.json").write_text(json.dumps(said), encoding="utf-8")


def test_signs_joined_to_networks_are_one_calibrated_bundle(tmp_path: Path) -> None:
    crops, signs = cohort(tmp_path, patients=300, telling=2.5, kept_for_calibration=0.75)
    with_images(crops, 600)
    bundle = tiny_bundle(tmp_path / "networks")
    scores = tmp_path / "scores.tsv"
    rng = np.random.default_rng(6)
    lines = [f"{k}\tout_of_fold\t{rng.normal():.4f}\t{f'0.{k}' if k >= 360 else ''}" for k in range(600)]
    scores.write_text("\n".join(["row\tset\tmember_0\tfeature_0", *lines]) + "\n", encoding="utf-8")
    mine = replace(SMALL, only_fractured=True, clinical=False)

    def joined() -> None:
        train_signs(crops, signs, tmp_path / "f", mine, fuse_with={"b2": scores}, onto=bundle)

    with pytest.raises(UsageError, match="not those of bundle"):
        joined()
    scores.with_suffix(".scorer").write_text(load_bundle(bundle).sha256 + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="--no-clinical"):
        train_signs(crops, signs, tmp_path / "f", SMALL, fuse_with={"b2": scores}, onto=bundle)
    joined()
    opened = open_scorer(tmp_path / "f" / "bundle", threads=1)
    assert opened.identity.name.startswith("fracture+signs")
    assert opened.identity.digest != load_bundle(bundle).sha256
    fitted = opened.calibrations.fractured
    assert fitted is not None and fitted.cohort.simulated
    # the signs tell the classes apart and the networks do not: the sum's calibration is that of the signs
    assert opened.join is not None and opened.join.signs > 0.3 > abs(opened.join.network)
    assert fitted.probability(4.0) > 0.8
    assert fitted.probability(-4.0) < 0.2
    card = (tmp_path / "f/bundle/MODEL_CARD.md").read_text("utf-8")
    assert "## Signs" in card
    # the networks' features go along, by which a vertebra is known to be unlike the cohort
    table_lines = (tmp_path / "f/b2+boosted/scores.tsv").read_text().splitlines()
    cells = {int(line.split("\t")[0]): line.split("\t") for line in table_lines[1:]}
    assert table_lines[0].endswith("\tfeature_0") and cells[500][-1] == "0.500" and cells[10][-1] == ""
    assert "feature_0" not in (tmp_path / "f/boosted/scores.tsv").read_text()
    # what the file says is what the run's own table says
    rows = read_log_odds(tmp_path / "f/b2+boosted/scores.tsv")
    tested = [r for r in rows if r >= 450]
    table = sign_table(crops, signs, 5)
    place = {int(r): k for k, r in enumerate(table.rows)}
    for row in tested[:20]:
        known = {n: float(v) for n, v in zip(NAMES, table.values[place[row]], strict=True) if np.isfinite(v)}
        known = {n: v for n, v in known.items() if n not in ("age_years", "male")}
        network = float(lines[row].split("\t")[2])
        assert opened.join.joined((network,), known)[0] == pytest.approx(rows[row], abs=1e-5)


def test_an_arm_that_is_measured_in_part_has_no_scores_yet(tmp_path: Path) -> None:
    crops, signs = cohort(tmp_path)
    lines = signs.read_text("utf-8").splitlines()
    signs.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    assert set(sign_table(crops, signs, 5).sets) == {"train"}


def test_too_few_patients_of_a_class_are_refused(tmp_path: Path) -> None:
    crops, signs = cohort(tmp_path, patients=16)
    with pytest.raises(InputRejected, match="at least 10 of each"):
        train_signs(crops, signs, tmp_path / "e", SMALL)

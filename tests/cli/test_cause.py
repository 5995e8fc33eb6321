"""`wirbel analyze` with a classifier: what it writes, what it is told, and what it refuses."""

import json

import numpy as np
import pytest
from tests.cli.conftest import HEIGHT_MM, NUMBERS, PITCH_MM, drawn, save_nifti
from tests.network.test_fracture_scorer import fitted_text
from tests.network.tiny_bundle import tiny_bundle

from wirbel.cli.main import run
from wirbel.cli.order import order_of
from wirbel.cohort.predictions import read_predictions
from wirbel.errors import ModelError, UsageError
from wirbel.etiology import Population, TierRule, calibration_sha256, read_calibration
from wirbel.network.bundle import SHIPPED, load_bundle

HEAT = {"heat.nii.gz", "heat.json"}


@pytest.fixture(scope="module")
def broken_column(tmp_path_factory):
    """The drawn study with both endplates of L2 pressed in by 6 mm: CT and masks."""
    folder = tmp_path_factory.mktemp("broken")
    ct, masks = drawn()
    hu, masks = np.array(ct.hu), np.array(masks)
    z, y, x = np.moveaxis(ct.grid.to_lps_mm(np.indices(ct.grid.shape).reshape(3, -1).T.astype(float)), 1, 0)[::-1]
    up = np.abs(z - (146.0 - PITCH_MM * 1.5)) + 6.0 * np.exp(-((x / 14) ** 2) - (y / 10) ** 2)
    gone = (up >= HEIGHT_MM / 2).reshape(masks.shape) & (masks == NUMBERS[1])
    rim = (up >= HEIGHT_MM / 2 - 2).reshape(masks.shape) & (masks == NUMBERS[1])
    hu[rim], hu[gone], masks[gone] = 500, 40, 0
    return save_nifti(folder / "sub-9_ct.nii.gz", hu, ct.grid), save_nifti(folder / "masks.nii.gz", masks, ct.grid)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package in which a tiny classifier is installed; its folder."""
    folder = tiny_bundle(tmp_path / "bundles" / "fracture")
    monkeypatch.setattr("wirbel.network.fracture_scorer.SHIPPED", folder.parent)
    return folder


def analysed(broken_column, out, *more: object) -> int:
    ct, masks = broken_column
    return run(["analyze", str(ct), "--masks", str(masks), "-o", str(out), *map(str, more)])


def result_of(out) -> dict:
    return json.loads((out / "result.json").read_text())


def test_a_fracture_is_answered_with_map_signs_provenance_and_the_authors_form(broken_column, installed, tmp_path):
    (installed / "calibration_fractured.json").write_text(fitted_text(installed))
    clinical = tmp_path / "clinical.csv"
    clinical.write_text("study,age,sex,known_cancer\nsub-9_ct.nii.gz,71,F,\n")
    out, derivatives = tmp_path / "out", tmp_path / "derivatives"
    more = ("--clinical", clinical, "--pred-json", derivatives, "--tiers", "authors", "--simulated-answers")
    assert analysed(broken_column, out, *more) == 0
    result = result_of(out)
    verdicts = {v["name"]: v["finding"]["verdict"] for v in result["vertebrae"]}
    assert [name for name, verdict in verdicts.items() if verdict == "fracture"] == ["L2"]
    cause = next(v["cause"] for v in result["vertebrae"] if v["name"] == "L2")
    assert cause["answer"] in {"osteoporotic", "malignant", "uncertain"}
    assert 0.0 <= cause["low"] <= cause["p_malignant"] <= cause["high"] <= 1.0
    assert len(cause["members"]) == 2
    assert len(json.dumps(cause)) < 5000  # the map is a file of its own
    others = [v["cause"]["answer"] for v in result["vertebrae"] if v["name"] != "L2"]
    assert {answer["not_measured"] for answer in others} == {"not_fractured"}
    made = result["provenance"]
    assert made["classifier"] == "fracture b2 0.0.1, trained on simulated images"
    assert made["bundles"]["fracture b2"] == load_bundle(installed).sha256
    assert made["calibration_sha256"].keys() == {"fractured"}
    assert made["settings"]["etiology.rule"] == "authors"
    assert {entry.name for entry in out.iterdir()} >= HEAT
    predictions = read_predictions(derivatives / "sub-9" / "sub-9_pred.json")
    assert [p.level.name for p in predictions.vertebrae] == ["L2"]


def test_without_cause_nothing_of_the_classifier_is_in_the_result(broken_column, installed, tmp_path):
    assert analysed(broken_column, tmp_path / "out", "--no-cause") == 0
    result = result_of(tmp_path / "out")
    assert {v["cause"]["answer"]["not_measured"] for v in result["vertebrae"]} == {"no_classifier"}
    assert result["provenance"]["classifier"] == "none"
    assert not HEAT & {entry.name for entry in (tmp_path / "out").iterdir()}


def test_a_sites_calibration_replaces_the_shipped_one(broken_column, installed, tmp_path):
    site = tmp_path / "site.json"
    site.write_text(fitted_text(installed))
    assert analysed(broken_column, tmp_path / "out", "--calibration", site) == 0
    digest = calibration_sha256(read_calibration(site.read_text()))
    assert result_of(tmp_path / "out")["provenance"]["calibration_sha256"] == {"fractured": digest}


def test_a_hospitals_own_classifier_answers_instead_of_the_shipped_one(broken_column, installed, tmp_path):
    own = tiny_bundle(tmp_path / "ours", seed=7, name="ours")
    assert analysed(broken_column, tmp_path / "out", "--bundle", own) == 0
    made = result_of(tmp_path / "out")["provenance"]
    assert made["classifier"].startswith("fracture ours")
    assert load_bundle(own).sha256 in made["bundles"].values()
    assert load_bundle(installed).sha256 not in made["bundles"].values()


def test_own_networks_that_do_not_fit_the_order_are_one_sentence(tmp_path):
    own, other = tiny_bundle(tmp_path / "one"), tiny_bundle(tmp_path / "two")
    assert options(bundles=[own]).classifier == load_bundle(own)
    assert options(bundles=[SHIPPED / "spine", own]).spine == load_bundle(SHIPPED / "spine")
    masks = tmp_path / "masks.nii.gz"
    masks.touch()
    for changes, said in (
        ({"bundles": [own, other]}, "two bundles"),
        ({"bundles": [tmp_path / "none"]}, "no such folder"),
        ({"bundles": [own], "cause": False}, "--no-cause"),
        ({"bundles": [SHIPPED / "spine"], "masks": masks}, "--masks"),
        ({"bundles": [SHIPPED / "spine"], "engine": "totalsegmentator"}, "--engine"),
    ):
        with pytest.raises(UsageError, match=said):
            options(**changes)
    (own / "bundle.json").unlink()
    with pytest.raises(ModelError, match=r"bundle\.json"):
        options(bundles=[own])


@pytest.mark.parametrize("damage", ["network", "calibration", "site"])
def test_a_damaged_classifier_stops_before_any_work_with_its_own_exit_code(
    broken_column, installed, tmp_path, capsys, damage
):
    more: tuple[object, ...] = ()
    if damage == "network":
        (installed / "b2_1.onnx").write_bytes(b"other")
    elif damage == "calibration":
        (installed / "calibration_fractured.json").write_text("{")
    else:
        (tmp_path / "site.json").write_text(fitted_text(installed, scorer="0" * 64))
        more = ("--calibration", tmp_path / "site.json")
    assert analysed(broken_column, tmp_path / "out", *more) == 4
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def options(**changes):
    plain = {
        "masks": None, "numbering": None, "engine": "network", "backend": "onnxruntime", "lang": "en",
        "shift_levels": 0, "name": None, "calibration": [], "series_table": None, "overwrite": False,
    }  # fmt: skip
    return order_of(**{**plain, **changes})


def test_calibrations_of_density_and_of_scores_are_told_apart(tmp_path):
    folder = tiny_bundle(tmp_path / "bundle")
    site, scanner = tmp_path / "site.json", tmp_path / "scanner.toml"
    site.write_text(fitted_text(folder))
    scanner.write_text("mg_cm3_per_hu = 0.8\nmg_cm3_at_0_hu = 2.0\n")
    order = options(calibration=[scanner, site], tiers="authors", prevalence=0.2)
    assert order.settings.vertebra.density.mg_cm3_per_hu == 0.8
    assert order.site.fractured is not None
    assert order.site.unfractured is None
    assert (order.settings.etiology.rule, order.settings.etiology.prevalence) == (TierRule.AUTHORS, 0.2)
    other = tmp_path / "other.json"
    other.write_text(fitted_text(folder, Population.UNFRACTURED))
    assert options(calibration=[site, other]).site.unfractured is not None


def test_options_that_do_not_go_together_are_one_sentence(tmp_path):
    folder = tiny_bundle(tmp_path / "bundle")
    site, scanner = tmp_path / "site.json", tmp_path / "scanner.toml"
    site.write_text(fitted_text(folder))
    scanner.write_text("mg_cm3_per_hu = 0.8\n")
    for changes, said in (
        ({"calibration": [site], "cause": False}, "--no-cause asks no classifier"),
        ({"calibration": [site, site]}, "two calibrations for fractured"),
        ({"calibration": [scanner, scanner]}, "2 calibrations of density"),
        ({"prevalence": 1.5}, "between 0 and 1"),
        ({"clinical": tmp_path / "none.csv"}, r"none\.csv: no such file"),
    ):
        with pytest.raises(UsageError, match=said):
            options(**changes)
    site.write_text(site.read_text().replace("0.", "1.", 1))
    with pytest.raises(ModelError, match=r"site\.json: the calibration"):
        options(calibration=[site])


def test_one_patients_data_do_not_serve_for_several_studies(broken_column, tmp_path, capsys):
    clinical = tmp_path / "one.json"
    clinical.write_text('{"age": 70}')
    ct, _ = broken_column
    assert run(["analyze", str(ct), str(ct), "--clinical", str(clinical), "-o", str(tmp_path / "out")]) == 2
    assert "add a column patient or study" in capsys.readouterr().err

"""A simulated cohort has the numbers of the study, the same voxels from the same settings, and resumes."""

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.errors import UsageError
from wirbel.phantom.cases import Difficulty, DrawnCause, Mark
from wirbel.phantom.cohort import (
    PRESETS,
    Arm,
    CohortSettings,
    fingerprint,
    make_crops,
    make_full,
    orders_of,
    settings_for,
)
from wirbel.phantom.cohort.arms import Split

TINY = CohortSettings(
    "tiny",
    (
        Arm("train", Split.TRAIN, "internal", 1, osteoporotic=0, malignant=1, lesions=1),
        Arm("study_test", Split.TEST, "internal", 1, osteoporotic=1),
    ),
    voxels=32,
    spacing_mm=2.0,
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort") / "crops"
    make_crops(TINY, folder)
    return folder


def test_the_preset_has_the_studys_numbers() -> None:
    settings = settings_for("foreman2024")
    arms = {arm.name: arm for arm in settings.arms}
    study = [arms["train"], arms["study_test"]]
    assert sum(a.patients for a in study) == 467
    assert sum(a.osteoporotic for a in study) == 415
    assert sum(a.malignant for a in study) == 496
    assert sum(a.lesions for a in study) == 482
    assert (arms["study_test"].osteoporotic, arms["study_test"].malignant) == (37, 49)
    assert (arms["study_external"].osteoporotic, arms["study_external"].malignant) == (30, 35)
    assert arms["large_test"].patients >= 1000 and arms["large_external"].patients >= 1000


@pytest.mark.parametrize("preset", list(PRESETS))
def test_orders_deal_out_exactly_what_the_arms_ask_for(preset: str) -> None:
    settings = settings_for(preset)
    orders = orders_of(settings)
    assert len({o.patient for o in orders}) == len(orders) == sum(a.patients for a in settings.arms)
    assert [o.row for o in orders] == list(np.cumsum([0, *(len(o.causes) for o in orders[:-1])]))
    for arm in settings.arms:
        causes = Counter(c for o in orders if o.arm == arm.name for c in o.causes)
        assert causes[DrawnCause.OSTEOPOROTIC_FRACTURE] == arm.osteoporotic
        assert causes[DrawnCause.MALIGNANT_FRACTURE] == arm.malignant
        assert causes[DrawnCause.MALIGNANT_LESION] == arm.lesions
        assert sum(causes.values()) == arm.vertebrae
    tested = [o for o in orders if o.split != Split.TRAIN]
    assert all(len(o.causes) == 1 and o.fold is None for o in tested)
    assert {o.fold for o in orders if o.split == Split.TRAIN} == {1, 2, 3, 4, 5}


def test_the_fingerprint_knows_every_setting() -> None:
    base = settings_for("ci")
    others = [
        settings_for("ci", seed=2),
        settings_for("ci", difficulty=Difficulty.HARD),
        settings_for("ci", voxels=64),
        replace(base, arms=base.arms[:-1]),
    ]
    prints = {fingerprint(s) for s in (base, *others)}
    assert len(prints) == 5 and fingerprint(settings_for("ci")) == fingerprint(base)


def test_crops_tables_and_truth_agree(made: Path) -> None:
    hu, mask, marks = (np.load(made / name, mmap_mode="r") for name in ("hu.npy", "mask.npy", "marks.npy"))
    index, truth = rows_of(made / "index.tsv"), rows_of(made / "truth.tsv")
    assert hu.shape == mask.shape == marks.shape == (3, 32, 32, 32)
    assert len(index) == len(truth) == 3
    for i, (row, told) in enumerate(zip(index, truth, strict=True)):
        assert (row["patient"], row["vertebra"]) == (told["patient"], told["vertebra"])
        assert int(told["row"]) == i
        assert mask[i, 16, 16, 16] == 1
        assert hu[i].std() > 50
        lytic_mm3 = 8.0 * float(np.sum((marks[i] == Mark.LYTIC) & (mask[i] == 1)))
        assert lytic_mm3 <= 1.3 * float(told["lytic_mm3"]) + 300
        if float(told["lytic_mm3"]) > 500:
            assert lytic_mm3 > 0
    assert [r["class"] for r in index].count("osteoporotic_fracture") == 1
    assert {r["split"] for r in index} == {"train", "test"}


def test_every_output_says_simulated_and_carries_the_hash(made: Path) -> None:
    for name in ("cohort.json", "crops.json"):
        plain = json.loads((made / name).read_text("utf-8"))
        assert plain["simulated"] is True and "research use only" in plain["note"]
        assert plain["settings_sha256"] == fingerprint(TINY)


def test_a_run_that_was_ended_goes_on_to_the_same_voxels(made: Path, tmp_path: Path) -> None:
    first = make_crops(TINY, tmp_path / "c", only=("study_test",))
    assert first.drawn_now == 1 and not (tmp_path / "c" / "crops.json").exists()
    log = tmp_path / "c" / "progress.jsonl"
    log.write_text(log.read_text("utf-8") + '{"patient": "sim-', encoding="utf-8")
    second = make_crops(TINY, tmp_path / "c")
    assert second.drawn_now == 1
    for name in ("hu.npy", "mask.npy", "marks.npy", "index.tsv", "truth.tsv"):
        assert (tmp_path / "c" / name).read_bytes() == (made / name).read_bytes(), name


def test_a_folder_of_other_settings_is_left_alone(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="other settings"):
        make_crops(replace(TINY, seed=9), made)
    (tmp_path / "x").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="not empty"):
        make_crops(TINY, tmp_path)


def test_an_unknown_preset_is_told_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="foreman2024, night, ci"):
        settings_for("large")


@pytest.mark.slow
def test_whole_cts_lie_as_verse_has_them_with_names_and_centroids(tmp_path: Path) -> None:
    settings = replace(TINY, arms=TINY.arms[1:])
    make_full(settings, tmp_path / "full")
    (image,) = (tmp_path / "full" / "rawdata").rglob("*_ct.nii.gz")
    mask = nib.load(str(image).replace("rawdata", "derivatives").replace("_ct.", "_seg-vert_msk."))
    labels = np.asarray(mask.dataobj)
    (ctd,) = (tmp_path / "full").rglob("*_seg-subreg_ctd.json")
    entries = json.loads(ctd.read_text("utf-8"))
    assert entries[0]["direction"] == list(nib.aff2axcodes(mask.affine)) == ["L", "P", "S"]
    (row,) = rows_of(tmp_path / "full" / "cohort.tsv")
    assert row["class"] == "osteoporotic_fracture" and row["source"] == "simulation"
    for entry in entries[1:]:
        at = tuple(round(entry[axis]) for axis in "XYZ")
        assert labels[at] == entry["label"]
    assert json.loads((tmp_path / "full" / "dataset_description.json").read_text("utf-8"))["Simulated"] is True

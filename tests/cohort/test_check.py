"""The check: contradictions are told with their lines, exclusions with reasons, and the flow adds up."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.cohort.check import CheckSettings, CohortReport, check_cohort, open_cohort
from wirbel.cohort.flow_svg import flow_svg
from wirbel.cohort.problem import Code, Severity
from wirbel.cohort.report_files import report_as_json, report_text, write_report
from wirbel.cohort.rules import Reason
from wirbel.cohort.sizes import SizeLimits
from wirbel.errors import UsageError

from .conftest import MakeCohort, Row, malignant, sound_rows, write_image, write_table

SMALL = CheckSettings(limits=SizeLimits(1, 1))
FAST = replace(SMALL, look=False)
Change = Callable[[Path], None]
MASK = "derivatives/sub-a/sub-a_seg-vert_msk.nii.gz"


def report_of(folder: Path, settings: CheckSettings = SMALL) -> CohortReport:
    return check_cohort(open_cohort(folder), settings)


def codes(report: CohortReport) -> set[Code]:
    return {p.code for p in report.errors}


def test_a_sound_cohort_is_sound_and_every_vertebra_is_counted_once(make_cohort: MakeCohort) -> None:
    report = report_of(make_cohort(sound_rows(), None), CheckSettings(look=False))
    assert report.is_sound
    assert not report.problems
    assert (report.flow.total.vertebrae, report.flow.included.patients) == (12, 12)


def test_images_are_opened_and_fit(make_cohort: MakeCohort) -> None:
    report = report_of(make_cohort([Row("b0"), malignant("m0", vertebra="T12")]))
    assert report.is_sound
    assert report.looked
    assert len(report.included) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (Row("x", vertebra="C5"), Reason.CERVICAL),
        (Row("x", vertebra="S1"), Reason.SACRAL),
        (Row("x", label="unclear", source=""), Reason.UNCLEAR),
        (Row("x", follow_up_months="2.9"), Reason.FOLLOW_UP_TOO_SHORT),
        (Row("x", follow_up_months=""), Reason.FOLLOW_UP_WITHOUT_LENGTH),
        (Row("x", source="mr"), Reason.BENIGN_NOT_PROVEN),
        (Row("x", source="expert"), Reason.EXPERT_ONLY),
        (Row("x", source=""), Reason.NO_SOURCE),
        (malignant("x", source="pet_ct", pet_ct_days="1"), Reason.PET_CT_AFTER_FRACTURE),
        (malignant("x", source="pet_ct; expert", pet_ct_days="0"), Reason.PET_CT_AFTER_FRACTURE),
        (malignant("x", source="pet_ct"), Reason.PET_CT_WITHOUT_DATE),
        (malignant("x", source="expert"), Reason.EXPERT_ONLY),
        (Row("x", label="malignant_lesion", source="expert"), Reason.EXPERT_ONLY),
        (Row("x", label="normal", source=""), Reason.NO_SOURCE),
        (Row("x", follow_up_months="3"), None),
        (Row("x", source="histology", follow_up_months=""), None),
        (malignant("x", source="pet_ct", pet_ct_days="-1"), None),
        (malignant("x", source="pet_ct;mr", pet_ct_days="5"), None),
        (Row("x", label="malignant_lesion", source="pet_ct"), None),
        (Row("x", label="mimic", source="expert"), None),
        (Row("x", vertebra="T13", label="normal", source="expert"), None),
    ],
)
def test_the_studys_rules_decide_what_counts_as_proven(
    make_cohort: MakeCohort, row: Row, reason: Reason | None
) -> None:
    if row.label == "malignant_fracture" and row.source != "histology":
        row = replace(row, follow_up_months="")
    report = report_of(make_cohort([row]), FAST)
    assert [e.reason for e in report.excluded] == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ([Row("x", split="train"), Row("x", "L2", split="test")], Code.LEAK, "3, split: sub-x has train and"),
        ([Row("x", split="train"), Row("x", "L2")], Code.LEAK, "sub-x has train and none"),
        ([Row("x", fold="1"), Row("x", "L2", fold="2")], Code.LEAK, "fold: sub-x has 1 and 2"),
        ([Row("x"), Row("x")], Code.TWICE, "line 3, vertebra: sub-x L1 is in line 2 already: keep one row"),
        ([Row("x"), malignant("x")], Code.TWICE, "(osteoporotic_fracture, malignant_fracture)"),
        ([Row("x", sex="F"), Row("x", "L2", sex="M")], Code.CONTRADICTION, "sex: sub-x has F and M"),
        ([Row("x", age="60"), Row("x", "L2", age="64")], Code.CONTRADICTION, "age: sub-x has 60 and 64"),
        ([Row("x", site="A"), Row("x", "L2", site="B")], Code.CONTRADICTION, "site: sub-x has A and B"),
        ([Row("x")], Code.ONE_CLASS, "no malignant fractures: both are needed"),
        ([Row("x", image="ses-09")], Code.NO_IMAGE, "no CT of sub-x is called 'ses-09': write sub-x"),
    ],
)
def test_rows_that_contradict_each_other_are_told(
    make_cohort: MakeCohort, rows: list[Row], code: Code, words: str
) -> None:
    report = report_of(make_cohort(rows), FAST)
    assert words in "\n".join(p.text for p in report.errors if p.code is code)


def test_three_patients_are_too_few(make_cohort: MakeCohort) -> None:
    report = report_of(make_cohort([Row("a"), Row("b"), malignant("c")]), CheckSettings(look=False))
    told = [p.sentence for p in report.errors if p.code is Code.TOO_FEW_PATIENTS]
    assert told[0] == "3 patients, at least 10 are needed: add patients"
    assert len(told) == 3


def test_a_patient_without_ct_and_a_ct_without_a_row_are_told(make_cohort: MakeCohort) -> None:
    report = report_of(make_cohort([Row("a"), malignant("gone")], ["a", "spare"]), FAST)
    assert codes(report) == {Code.NO_IMAGE, Code.ONE_CLASS}
    assert [e.reason for e in report.excluded] == [Reason.NO_IMAGE]
    assert any(p.code is Code.UNUSED_IMAGE and "sub-spare" in p.sentence for p in report.problems)


def remove_mask(folder: Path) -> None:
    (folder / MASK).unlink()


def rewrite(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    image = nib.load(path)
    values = change(np.asarray(image.dataobj).copy())
    nib.save(nib.Nifti1Image(values, image.affine), path)


def empty_vertebra(folder: Path) -> None:
    rewrite(folder / MASK, lambda v: np.where(v == 20, 0, v).astype(np.uint8))


def foreign_label(folder: Path) -> None:
    rewrite(folder / MASK, lambda v: np.where(v == 20, 45, v).astype(np.uint8))


def other_grid(folder: Path) -> None:
    rewrite(folder / MASK, lambda v: v[1:])


def nan_in_ct(folder: Path) -> None:
    def change(values: np.ndarray) -> np.ndarray:
        out = values.astype(np.float32)
        out[3, 3, 3] = np.nan
        return out

    rewrite(folder / "rawdata/sub-a/sub-a_ct.nii.gz", change)


def empty_ct(folder: Path) -> None:
    rewrite(folder / "rawdata/sub-a/sub-a_ct.nii.gz", np.zeros_like)


def centroid_away(folder: Path) -> None:
    path = folder / "derivatives/sub-a/sub-a_seg-subreg_ctd.json"
    entries = json.loads(path.read_text())
    entries[3]["Y"] += 15
    path.write_text(json.dumps(entries))


def no_centroids(folder: Path) -> None:
    (folder / "derivatives/sub-a/sub-a_seg-subreg_ctd.json").unlink()


def same_ct(folder: Path) -> None:
    mine = folder / "rawdata/sub-a/sub-a_ct.nii.gz"
    mine.write_bytes((folder / "rawdata/sub-m/sub-m_ct.nii.gz").read_bytes())


@pytest.mark.parametrize(
    ("damage", "code", "reason", "words"),
    [
        (remove_mask, Code.NO_MASK, Reason.NO_MASK, "put sub-a_seg-vert_msk.nii.gz into derivatives"),
        (empty_vertebra, Code.NOT_IN_MASK, Reason.NOT_IN_MASK, "sub-a L1 is not in the mask"),
        (foreign_label, Code.ILLEGAL_LABEL, Reason.NO_MASK, "holds 45, no numbers of vertebrae"),
        (other_grid, Code.GRID_DIFFERS, Reason.NO_MASK, "write the mask on the CT's own grid"),
        (nan_in_ct, Code.IMAGE_REFUSED, Reason.IMAGE_REFUSED, "not numbers (NaN or infinite)"),
        (empty_ct, Code.IMAGE_REFUSED, Reason.IMAGE_REFUSED, "sub-a"),
        (centroid_away, Code.CENTROID_ELSEWHERE, None, "the centroid of L1 lies"),
        (same_ct, Code.SAME_IMAGE, None, "holds the same CT as"),
    ],
)
def test_damaged_files_are_found_and_named(
    make_cohort: MakeCohort, damage: Change, code: Code, reason: Reason | None, words: str
) -> None:
    folder = make_cohort([Row("a"), Row("b"), malignant("m")])
    damage(folder)
    report = report_of(folder)
    assert codes(report) == {code}
    assert any(words in p.text for p in report.errors)
    assert [e.reason for e in report.excluded] == ([] if reason is None else [reason])


def test_missing_centroids_and_cut_vertebrae_are_notes(make_cohort: MakeCohort) -> None:
    folder = make_cohort([Row("a"), Row("a", "T11"), malignant("m")])
    no_centroids(folder)

    def up(values: np.ndarray) -> np.ndarray:
        out = np.array(values)
        at = np.argwhere(values == 18)
        out[at[:, 0].min() : at[:, 0].max() + 1, 0, at[:, 2].min() : at[:, 2].max() + 1] = 18  # axes P, I, R
        return out

    rewrite(folder / MASK, up)
    report = report_of(folder)
    assert report.is_sound
    assert {p.code for p in report.problems} == {Code.NO_CENTROID, Code.CUT_BY_BORDER}
    assert [e.reason for e in report.excluded] == [Reason.CUT_BY_BORDER]


def test_shortcuts_and_several_fractures_in_the_test_are_noted(make_cohort: MakeCohort) -> None:
    rows = [Row("a", split="test"), Row("a", "L2", split="test"), malignant("m", split="test")]
    rows += [replace(malignant("m", split="test"), vertebra="L2", label="malignant_lesion")]
    report = report_of(make_cohort(rows), FAST)
    assert {p.code for p in report.problems} == {Code.SEVERAL_FRACTURES_IN_TEST, Code.NO_HEALTHY_VERTEBRAE}


def test_the_flow_adds_up_step_by_step_and_says_simulated(make_cohort: MakeCohort) -> None:
    rows = [
        *sound_rows(3),
        Row("b00", "L2", label="unclear", source=""),
        Row("c1", "C4"),
        Row("gone"),
        Row("u1", label="nonsense"),
        replace(Row("s1", label="normal"), source="simulation"),
    ]
    report = report_of(make_cohort(rows, [f"{k}{i:02d}" for k in "bm" for i in range(3)] + ["c1", "s1"]), FAST)
    flow = report.flow
    assert flow.is_simulated
    left = flow.total.vertebrae
    for step in flow.steps:
        assert sum(count.vertebrae for _, count in step.reasons) == step.excluded.vertebrae
        left -= step.excluded.vertebrae
        assert step.remaining.vertebrae == left
    assert left == flow.included.vertebrae == sum(c.vertebrae for _, c in flow.classes)
    assert [s.patients_lost for s in flow.steps] == [2, 1, 0]
    text = report_text(report)
    assert "(simulated)" in text
    assert "class unclear: 1 vertebra of 1 patient" in text


def test_the_report_is_written_as_json_text_and_drawing(make_cohort: MakeCohort, tmp_path: Path) -> None:
    report = report_of(make_cohort([Row("x", split="train"), Row("x", "L2", split="test")]), FAST)
    write_report(report, tmp_path / "out")
    plain = json.loads((tmp_path / "out" / "check.json").read_text())
    assert plain == json.loads(report_as_json(report))
    assert plain["sound"] is False
    assert {p["code"] for p in plain["problems"]} >= {"leak", "one_class"}
    drawing = (tmp_path / "out" / "flow.svg").read_text()
    assert drawing.strip() == flow_svg(report.flow)
    assert "Research use only" in drawing
    assert "Internal test" in drawing


def test_several_cts_of_a_patient_need_to_be_told_apart(make_cohort: MakeCohort) -> None:
    folder = make_cohort([Row("a", image="ses-02"), malignant("m")])
    write_image(folder, "a", 9, stem="sub-a_ses-02")
    assert report_of(folder, FAST).is_sound
    write_table(folder / "cohort.tsv", [Row("a"), malignant("m")])
    (problem,) = (p for p in report_of(folder, FAST).errors if p.code is Code.WHICH_IMAGE)
    assert problem.severity is Severity.ERROR
    assert "write which one, of sub-a, sub-a_ses-02" in problem.sentence


def test_several_cores_find_the_same(make_cohort: MakeCohort) -> None:
    folder = make_cohort([Row("a"), malignant("m")])
    assert report_of(folder, replace(SMALL, workers=2)).problems == report_of(folder).problems


def test_no_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        open_cohort(tmp_path / "none")

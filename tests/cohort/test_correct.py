"""Corrections by a reader: masks out and in, names moved everywhere at once, nothing half done."""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.cohort.check import CheckSettings, check_cohort, open_cohort
from wirbel.cohort.correct import export_masks, image_named, moved, name_column, shift_levels, take_mask
from wirbel.cohort.images import read_cohort_study
from wirbel.cohort.predictions import FilePredictions, Prediction, read_predictions, write_predictions
from wirbel.cohort.sizes import SizeLimits
from wirbel.cohort.whole_files import JOURNAL, finish_replacing
from wirbel.errors import InputRejected, UsageError
from wirbel.spine import Level
from wirbel.spine.shift import NamedVertebra

from .conftest import MakeCohort, Row, drawn_ct, malignant

SMALL = CheckSettings(limits=SizeLimits(1, 1))
MASK = "derivatives/sub-a/sub-a_seg-vert_msk.nii.gz"


def cohort_of(make_cohort: MakeCohort) -> Path:
    return make_cohort([Row("a"), Row("a", "T12"), malignant("m")])


def change(path: Path, new: np.ndarray) -> None:
    nib.save(nib.Nifti1Image(new.astype(np.uint8), nib.load(path).affine), path)


def values(path: Path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj).astype(np.uint8)


def test_a_shift_rewrites_mask_centroids_answers_and_table_together(make_cohort: MakeCohort) -> None:
    folder = cohort_of(make_cohort)
    answers = folder / "derivatives/sub-a/sub-a_pred.json"
    write_predictions(answers, FilePredictions("sub-a", (Prediction(Level.T12, True, False),)))
    cohort = open_cohort(folder)
    before = read_cohort_study(image_named(cohort, "sub-a"))
    done = shift_levels(cohort, image_named(cohort, "sub-a"), 1)
    assert done.lines == (2, 3)
    after = open_cohort(folder)
    study = read_cohort_study(image_named(after, "a"))
    assert np.array_equal(study.labels.labels, np.where(before.labels.labels > 0, before.labels.labels + 1, 0))
    assert set(study.centroids) == {Level.T12, Level.L1, Level.L2, Level.L3}
    for level, point in before.centroids.items():
        assert np.allclose(study.centroids[Level(level + 1)], point, atol=0.16)
    assert [v.level.name for v in after.table.vertebrae] == ["L2", "L1", "L1"]
    assert [p.level for p in read_predictions(answers).vertebrae] == [Level.L1]
    assert check_cohort(after, SMALL).is_sound
    back = open_cohort(folder)
    shift_levels(back, image_named(back, "a"), -1)
    again = read_cohort_study(image_named(open_cohort(folder), "a"))
    assert np.array_equal(again.labels.labels, before.labels.labels)


def test_names_move_along_the_columns_own_order() -> None:
    assert moved([Level.T12, Level.T13, Level.L1], -1) == {
        Level.T12: Level.T11, Level.T13: Level.T12, Level.L1: Level.T13,
    }  # fmt: skip
    assert moved([Level.T11, Level.L1], 1) == {Level.T11: Level.L1, Level.L1: Level.L2}
    with pytest.raises(UsageError, match="would move L5 beyond C1-L6"):
        moved([Level.L4, Level.L5], 2)


def test_a_corrected_mask_comes_in_with_new_centroids_and_tells_rows_that_lost_theirs(
    make_cohort: MakeCohort, tmp_path: Path
) -> None:
    folder = cohort_of(make_cohort)
    cohort = open_cohort(folder)
    image = image_named(cohort, "a")
    written = export_masks(image, tmp_path / "work")
    assert {p.name for p in written} == {"sub-a_ct.nii.gz", "sub-a_seg-vert_msk.nii.gz", "labels_itksnap.txt"}
    with pytest.raises(UsageError, match="already: choose another folder"):
        export_masks(image, tmp_path / "work")
    mine = tmp_path / "work" / "sub-a_seg-vert_msk.nii.gz"
    old = values(mine)
    change(mine, np.where(old == 18, 0, old))
    done = take_mask(cohort, image, mine)
    assert done.notes == ()
    study = read_cohort_study(image_named(open_cohort(folder), "a"))
    assert set(study.centroids) == {Level.T12, Level.L1, Level.L2}
    assert np.array_equal(values(folder / MASK), values(mine))
    change(mine, np.where(np.isin(old, (18, 19)), 0, old))
    done = take_mask(cohort, image, mine)
    assert done.notes == ("cohort.tsv, line 3: T12 is not in the new mask",)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (lambda v: v[1:], "write the mask on the CT's own grid"),
        (lambda v: np.where(v == 20, 99, v), "holds 99, no numbers of vertebrae"),
        (np.zeros_like, "no label"),
        (lambda v: np.where(v == 20, 5, v), "do not lie in the order of the numbering"),
    ],
)
def test_a_wrong_mask_is_refused_and_nothing_changes(
    make_cohort: MakeCohort, tmp_path: Path, new: object, words: str
) -> None:
    folder = cohort_of(make_cohort)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    mine = tmp_path / "mine.nii.gz"
    shutil.copyfile(folder / MASK, mine)
    change(mine, new(values(mine)))  # type: ignore[operator]
    cohort = open_cohort(folder)
    with pytest.raises(InputRejected, match=words):
        take_mask(cohort, image_named(cohort, "a"), mine)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_a_column_without_names_is_counted_from_one_that_a_reader_names(make_cohort: MakeCohort) -> None:
    folder = cohort_of(make_cohort)
    derived = folder / "derivatives/sub-a"
    mask = values(folder / MASK)
    (derived / "sub-a_seg-subreg_ctd.json").unlink()
    (folder / MASK).rename(derived / "sub-a_seg-rel_msk.nii.gz")
    change(derived / "sub-a_seg-rel_msk.nii.gz", np.where(mask > 0, mask - 17, 0))
    cohort = open_cohort(folder)
    image = image_named(cohort, "a")
    with pytest.raises(UsageError, match="does not fit 4 vertebrae"):
        name_column(cohort, image, NamedVertebra(9, Level.T12))
    name_column(cohort, image, NamedVertebra(2, Level.T12))
    study = read_cohort_study(image_named(open_cohort(folder), "a"))
    assert np.array_equal(study.labels.labels, drawn_ct(0)[1])
    assert not (derived / "sub-a_seg-rel_msk.nii.gz").exists()


def test_a_correction_that_was_broken_off_is_finished_when_the_cohort_is_opened(make_cohort: MakeCohort) -> None:
    folder = cohort_of(make_cohort)
    new = folder / ".wirbel-partial-x"
    new.mkdir()
    (new / "0-cohort.tsv").write_text((folder / "cohort.tsv").read_text().replace("\tL1\t", "\tL2\t"))
    (folder / JOURNAL).write_text(json.dumps({".wirbel-partial-x/0-cohort.tsv": "cohort.tsv", "gone": "nowhere"}))
    cohort = open_cohort(folder)
    assert [v.level.name for v in cohort.table.vertebrae] == ["L2", "T12", "L2"]
    assert not new.exists()
    assert not finish_replacing(folder)


def test_names_that_fit_no_image_or_several_are_refused(make_cohort: MakeCohort) -> None:
    cohort = open_cohort(cohort_of(make_cohort))
    with pytest.raises(UsageError, match="no CT is called 'sub-zz'"):
        image_named(cohort, "sub-zz")

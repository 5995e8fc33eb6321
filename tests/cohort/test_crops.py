"""Crops of a cohort: stored whole with an index that says whose they are; what cannot be cut out is told."""

import json
from pathlib import Path

import numpy as np
import pytest

from wirbel.cohort.check import open_cohort
from wirbel.cohort.crops import NoCrop, crops_of, read_crops, write_crops
from wirbel.errors import InputRejected, UsageError
from wirbel.etiology.crop import CropSettings

from .conftest import MakeCohort, Row, malignant

SMALL = CropSettings((12, 12, 12), 3.0)


def test_crops_are_stored_with_an_index_that_says_whose_they_are(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = open_cohort(make_cohort([Row("a"), Row("a", "T12", split="train"), malignant("m", split="train")]))
    made = write_crops(cohort, cohort.table.vertebrae, tmp_path / "crops", SMALL)
    assert (made.crops, made.refused) == (3, ())
    stored = read_crops(tmp_path / "crops")
    assert stored.hu.shape == (3, 12, 12, 12)
    assert [(r["patient"], r["vertebra"], r["class"]) for r in stored.rows] == [
        ("a", "L1", "osteoporotic_fracture"),
        ("a", "T12", "osteoporotic_fracture"),
        ("m", "L1", "malignant_fracture"),
    ]
    for hu, mask in zip(stored.hu, stored.mask, strict=True):
        body = hu[(mask & 1) > 0]
        assert 100 < len(body) < 700
        assert abs(float(np.median(body)) - 180.0) < 10.0
    assert stored.settings == SMALL


def test_a_vertebra_that_cannot_be_cut_out_is_told_and_the_rest_goes_on(make_cohort: MakeCohort) -> None:
    cohort = open_cohort(make_cohort([Row("a"), Row("a", "L5"), malignant("m")]))
    (cohort.folder / "derivatives/sub-m/sub-m_seg-vert_msk.nii.gz").unlink()
    cohort = open_cohort(cohort.folder)
    cuts = list(crops_of(cohort, cohort.table.vertebrae, SMALL))
    told = [cut.sentence for cut in cuts if isinstance(cut, NoCrop)]
    assert len(cuts) == 3
    assert told[0] == "sub-a L5: not in the mask: segment it, or correct the row"
    assert "no mask: put sub-m_seg-vert_msk.nii.gz into derivatives" in told[1]


def test_nothing_is_left_when_nothing_can_be_cut_out_and_nothing_is_overwritten(
    make_cohort: MakeCohort, tmp_path: Path
) -> None:
    cohort = open_cohort(make_cohort([Row("a", "L5")]))
    with pytest.raises(InputRejected, match="no crop can be made: sub-a L5"):
        write_crops(cohort, cohort.table.vertebrae, tmp_path / "crops", SMALL)
    assert {p.name for p in tmp_path.iterdir()} == {"cohort"}
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        write_crops(cohort, cohort.table.vertebrae, tmp_path / "mine", SMALL)


def test_a_folder_that_holds_no_crops_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="holds no crops"):
        read_crops(tmp_path)
    (tmp_path / "crops.json").write_text(json.dumps({"size": [8, 8, 8], "spacing_mm": 1.0}))
    np.save(tmp_path / "hu.npy", np.zeros((2, 8, 8, 8), np.int16))
    np.save(tmp_path / "mask.npy", np.zeros((1, 8, 8, 8), np.uint8))
    (tmp_path / "index.tsv").write_text("patient\n")
    with pytest.raises(InputRejected, match="do not fit"):
        read_crops(tmp_path)

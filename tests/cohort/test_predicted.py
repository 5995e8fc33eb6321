"""A result in the authors' form, below a cohort's derivatives."""

from dataclasses import replace

import pytest
from tests.delivery.conftest import drawn_spine

from wirbel.cohort.predicted import deliver_predictions, file_id_of, predictions_of
from wirbel.cohort.predictions import Prediction, read_predictions
from wirbel.etiology import Cause, Etiology, Suspicion, Tier
from wirbel.finding import ContrastPhase, DensityReading, Findings
from wirbel.spine import Level
from wirbel.study import Provenance, SeriesRef, StudyResult
from wirbel.vertebra import NotMeasured, Reason
from wirbel.volume import Acquisition, Plane

LEVELS = (Level.T12, Level.L1, Level.L2, Level.L3)


@pytest.fixture
def result() -> StudyResult:
    ref = SeriesRef("ct", "00" * 32, "CT", 26, Acquisition(Plane.AXIAL, 2.0, 2.0), 1.5)
    nothing = NotMeasured(Reason.NOT_FRACTURED)
    findings = Findings((), nothing, DensityReading(None, None, nothing, ContrastPhase.UNKNOWN), ())
    causes = (
        Cause(1, Tier.MALIGNANT, 0.9),
        Cause(2, Tier.OSTEOPOROTIC, 0.1),
        Cause(3, nothing, suspicion=Suspicion.SUSPICIOUS),
        Cause(4, Tier.UNCERTAIN, 0.6),
    )
    made = Provenance("0.1.0", "drawn", "drawn", {}, {})
    return StudyResult(ref, ref, ref, drawn_spine(LEVELS), (), findings, Etiology(causes), made)


def test_answers_become_the_authors_numbers(result, tmp_path):
    path = deliver_predictions(tmp_path / "derivatives", result, "sub-7_dir-ax_ct.nii.gz")
    assert path == tmp_path / "derivatives" / "sub-7" / "sub-7_dir-ax_pred.json"
    assert read_predictions(path).vertebrae == (
        Prediction(Level.T12, is_malignant=True, is_uncertain=False),
        Prediction(Level.L1, is_malignant=False, is_uncertain=False),
        Prediction(Level.L3, is_malignant=True, is_uncertain=True),
    )
    assert [p.name for p in path.parent.iterdir()] == ["sub-7_dir-ax_pred.json"]


def test_an_uncertain_answer_without_probability_is_on_the_benign_side(result):
    uncertain = replace(result, etiology=Etiology((Cause(1, Tier.UNCERTAIN), *result.etiology.vertebrae[1:])))
    first = predictions_of(uncertain, "sub-7").vertebrae[0]
    assert (first.is_malignant, first.is_uncertain) == (False, True)


def test_vertebrae_without_a_level_have_no_place_in_the_form(result):
    unnamed = replace(result, spine=drawn_spine((None,) * 4))
    assert predictions_of(unnamed, "sub-7").vertebrae == ()


@pytest.mark.parametrize(
    ("name", "file_id"), [("sub-1_ct.nii.gz", "sub-1"), ("pat1-ct", "pat1-ct"), ("a.zip", "a")]
)
def test_the_file_is_named_after_the_study(name, file_id):
    assert file_id_of(name) == file_id

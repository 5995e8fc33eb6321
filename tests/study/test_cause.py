"""The cause of fractures in the chain: who is asked, whose signs are measured, and what the provenance says."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from tests.study.test_chain import HEIGHT_MM, NUMBERS, PITCH_MM, InMemory

from wirbel.etiology import (
    Calibrations,
    Clinical,
    EtiologySettings,
    HeatMap,
    HeatMethod,
    LabelledScores,
    Population,
    Promise,
    RawScore,
    Refusal,
    ScorerIdentity,
    Sex,
    Suspicion,
    Tier,
    TierRule,
    calibrate,
    calibration_sha256,
)
from wirbel.finding import Findings, Verdict
from wirbel.finding.signs import Signs
from wirbel.report import render
from wirbel.spine import Spine, evidence_from_masks
from wirbel.study import Settings, StudySeries, analyse
from wirbel.vertebra import NotMeasured, Reason, VertebraMeasures
from wirbel.volume import Grid, LabelMap, Volume

DIGEST = "e" * 64


def column_with_one_fracture() -> tuple[Volume, LabelMap]:
    """Three bodies L1-L3 in soft tissue, 2 mm; both endplates of L2 are pressed in by 6 mm."""
    grid = Grid.axis_aligned((62, 50, 50), (2.0, 2.0, 2.0), (-49.0, -49.0, 0.0))
    z, y, x = (grid.to_lps_mm(np.indices(grid.shape).reshape(3, -1).T.astype(float)).T[i] for i in (2, 1, 0))
    hu, masks = np.full(z.size, 40.0), np.zeros(z.size, np.uint8)
    for i, number in enumerate(NUMBERS):
        dent_mm = (6.0 if i == 1 else 0.0) * np.exp(-((x / 14) ** 2) - (y / 10) ** 2)
        up = np.abs(z - (113.0 - PITCH_MM * (i + 0.5))) + dent_mm
        body = (up < HEIGHT_MM / 2) & ((x / 20) ** 2 + (y / 15) ** 2 < 1)
        core = (up < HEIGHT_MM / 2 - 2) & ((x / 18) ** 2 + (y / 13) ** 2 < 1)
        hu[body], hu[core], masks[body] = 500.0, 140.0, number
    return Volume(grid, hu.reshape(grid.shape).astype(np.int16)), LabelMap(grid, masks.reshape(grid.shape))


@dataclass
class ToldScorer:
    """Gives every vertebra it is asked about the same log-odds, and a heat map."""

    log_odds: float
    calibrations: Calibrations = field(default_factory=Calibrations)
    with_normals: bool = False
    silent: bool = False
    asked: list[int] = field(default_factory=list)

    @property
    def identity(self) -> ScorerIdentity:
        return ScorerIdentity("told", DIGEST, 1, self.with_normals, "0.3", simulated=True)

    def __call__(
        self,
        ct: Volume,
        spine: Spine,
        measures: Sequence[VertebraMeasures],
        findings: Findings,
        labels: Sequence[int],
        /,
    ) -> tuple[RawScore, ...]:
        self.asked += labels
        heat = HeatMap(ct.grid, np.zeros(ct.grid.shape, np.float32), HeatMethod.GRAD_CAM, ("m",))
        return () if self.silent else tuple(RawScore(label, (self.log_odds,), (), heat) for label in labels)


def fitted(population: Population):
    rng = np.random.default_rng(4)
    malignant = np.repeat([True, False], 40)
    scores = LabelledScores(
        tuple(f"p{i}" for i in range(80)), ("L1",) * 80, malignant,
        np.where(malignant, 3.0, -3.0)[:, None] + rng.normal(0, 1, (80, 1)), np.empty((80, 0)),
    )  # fmt: skip
    of = {"scorer": DIGEST, "name": "drawn", "simulated": True, "population": population}
    return calibrate(scores, **of, rng=rng, promise=Promise())


@pytest.fixture(scope="module")
def drawn():
    return column_with_one_fracture()


@pytest.fixture(scope="module")
def both() -> Calibrations:
    return Calibrations(fitted(Population.FRACTURED), fitted(Population.UNFRACTURED))


#: As for a drawn CT: its calibration may answer.
TRUSTING = EtiologySettings(simulated_answers=True)


def analysed(drawn, scorer, *, settings=None, clinical=None):
    series = InMemory(drawn[0])
    return analyse(
        StudySeries(series, series, series),
        segment=lambda ct: evidence_from_masks(drawn[1], numbering="verse", ct_grid=ct.grid),
        settings=settings or Settings(etiology=TRUSTING),
        scorer=scorer,
        clinical=clinical,
    )


@pytest.fixture(scope="module")
def told(drawn, both):
    scorer = ToldScorer(4.0, Calibrations(both.fractured))
    known = Clinical(71.0, Sex.FEMALE, known_cancer=None)
    return scorer, analysed(drawn, scorer, clinical=known)


def test_only_the_fracture_is_asked_about_and_answered(told):
    scorer, result = told
    verdicts = [f.verdict for f in result.findings.vertebrae]
    assert [v is Verdict.FRACTURE for v in verdicts] == [False, True, False]
    middle = result.spine.vertebrae[1].label
    assert scorer.asked == [middle]
    cause = result.etiology.vertebrae[1]
    assert cause.answer is Tier.MALIGNANT
    assert cause.p_malignant is not None
    assert cause.low is not None
    assert cause.low <= cause.p_malignant <= cause.high
    assert cause.heat is not None
    for other in (result.etiology.vertebrae[0], result.etiology.vertebrae[2]):
        assert other.answer == NotMeasured(Reason.NOT_FRACTURED)
        assert other.heat is None


def test_signs_are_measured_where_something_was_found_and_nowhere_else(told):
    _, result = told
    assert [signs is None for signs in result.signs] == [True, False, True]
    assert isinstance(result.signs[1], Signs)
    assert result.signs[1].label == result.spine.vertebrae[1].label


def test_the_provenance_names_the_classifier_and_its_calibrations(told, both):
    _, result = told
    made = result.provenance
    assert made.classifier == "told 0.3, trained on simulated images"
    assert made.classifier_simulated
    assert dict(made.calibration_sha256) == {"fractured": calibration_sha256(both.fractured)}
    assert made.simulated_calibrations == ("fractured",)
    assert made.settings["etiology.rule"] == "certified"


def test_what_is_known_of_the_patient_is_kept_and_unknown_stays_unknown(told, drawn):
    _, result = told
    known = result.clinical
    assert (known.age_years, known.sex, known.known_cancer) == (71.0, Sex.FEMALE, None)
    assert "71" not in repr(result.clinical)


def test_without_classifier_signs_are_measured_all_the_same(drawn):
    result = analysed(drawn, None)
    assert {c.reasons for c in result.etiology.vertebrae} == {(Refusal.NO_CLASSIFIER,)}
    assert [signs is None for signs in result.signs] == [True, False, True]
    assert result.clinical == Clinical()
    assert not result.provenance.classifier_simulated


def with_a_hole_in_l1(drawn) -> tuple[Volume, LabelMap]:
    """Marrow of the upper body replaced by soft tissue in a ball of 7 mm."""
    ct, masks = drawn
    at = np.moveaxis(ct.grid.to_lps_mm(np.indices(ct.grid.shape).reshape(3, -1).T.astype(float)), 1, 0)
    centre = (0.0, 0.0, 113.0 - PITCH_MM * 0.5)
    away = np.sqrt(sum((a - c) ** 2 for a, c in zip(at, centre, strict=True))).reshape(ct.grid.shape)
    return Volume(ct.grid, np.where(away < 7.0, 0, ct.hu).astype(np.int16)), masks


def test_a_suspicion_that_no_measured_sign_supports_is_not_told_and_says_so(drawn, both):
    result = analysed(drawn, ToldScorer(4.0, both, with_normals=True))
    upper = result.etiology.vertebrae[0]
    assert upper.suspicion is None and upper.heat is None and upper.members == (4.0,)
    assert upper.reasons == (Refusal.NOT_FRACTURED, Refusal.NO_SIGN)
    assert result.etiology.vertebrae[1].answer is Tier.MALIGNANT
    text = render(result, drawn[0], lang="en").text
    assert "Not called suspicious, as no measured sign supports what the classifier says" in text


def with_an_eroded_disc_below_l2(drawn) -> tuple[Volume, LabelMap]:
    """Soft tissue in place of both plates that face the disc between L2 and L3."""
    ct, masks = drawn
    z, y, x = (ct.grid.to_lps_mm(np.indices(ct.grid.shape).reshape(3, -1).T.astype(float)).T[i] for i in (2, 1, 0))
    at_disc = np.abs(z - (113.0 - 2.0 * PITCH_MM)) < 0.5 * (PITCH_MM - HEIGHT_MM) + 9.0
    gone = (at_disc & ((x / 15) ** 2 + (y / 11) ** 2 < 1)).reshape(ct.grid.shape)
    return Volume(ct.grid, np.where(gone, 40, ct.hu).astype(np.int16)), masks


def test_a_fracture_beside_a_disc_with_both_plates_eroded_is_uncertain_whatever_the_score(drawn, both):
    seen = with_an_eroded_disc_below_l2(drawn)
    result = analysed(seen, ToldScorer(4.0, Calibrations(both.fractured)))
    cause = result.etiology.vertebrae[1]
    assert cause.answer is Tier.UNCERTAIN and cause.reasons == (Refusal.TWO_ENDPLATES,)
    assert cause.p_malignant is None and cause.heat is None and cause.members == (4.0,)
    text = render(result, seen[0], lang="en").text
    assert "Both endplates of a disc are eroded: spondylodiscitis is possible" in text


def test_a_suspicion_beside_such_a_disc_is_told_with_the_pattern(drawn, both):
    seen = with_an_eroded_disc_below_l2(drawn)
    result = analysed(seen, ToldScorer(4.0, both, with_normals=True))
    lower = result.etiology.vertebrae[2]
    assert lower.suspicion is Suspicion.SUSPICIOUS
    assert lower.reasons == (Refusal.NOT_FRACTURED, Refusal.TWO_ENDPLATES)
    text = render(result, seen[0], lang="en").text
    assert "Both endplates of a disc are eroded there" in text


def test_a_suspicion_in_an_unfractured_vertebra_gets_signs_and_a_map_but_no_probability(drawn, both):
    result = analysed(with_a_hole_in_l1(drawn), ToldScorer(4.0, both, with_normals=True))
    upper = result.etiology.vertebrae[0]
    assert upper.suspicion is Suspicion.SUSPICIOUS
    assert upper.answer == NotMeasured(Reason.NOT_FRACTURED)
    assert upper.p_malignant is None
    assert upper.heat is not None
    assert None not in result.signs


def test_an_unfractured_vertebra_is_not_asked_about_without_normals_in_training(drawn, both):
    scorer = ToldScorer(4.0, both, with_normals=False)
    analysed(drawn, scorer)
    assert len(scorer.asked) == 1


def test_a_vertebra_that_got_no_score_says_so(drawn, both):
    result = analysed(drawn, ToldScorer(4.0, both, silent=True))
    cause = result.etiology.vertebrae[1]
    assert cause.reasons == (Refusal.NO_SCORE,)
    assert isinstance(cause.answer, NotMeasured)


def test_the_authors_rule_answers_without_calibration_and_says_that_it_has_none(drawn):
    settings = Settings(etiology=replace(TRUSTING, rule=TierRule.AUTHORS))
    cause = analysed(drawn, ToldScorer(4.0), settings=settings).etiology.vertebrae[1]
    assert cause.answer is Tier.MALIGNANT
    assert cause.reasons == (Refusal.NOT_CALIBRATED,)
    assert cause.p_malignant is None


def test_a_calibration_on_drawings_has_no_answer_for_a_real_ct(drawn, both):
    result = analysed(drawn, ToldScorer(4.0, Calibrations(both.fractured)), settings=Settings())
    (fractured,) = (c for c in result.etiology.vertebrae if c.members)
    assert fractured.answer is Tier.UNCERTAIN and fractured.reasons == (Refusal.SIMULATED_ONLY,)
    assert fractured.p_malignant is None and fractured.heat is None
    own = replace(both.fractured, cohort=replace(both.fractured.cohort, simulated=False))
    result = analysed(drawn, ToldScorer(4.0, Calibrations(own)), settings=Settings())
    assert Tier.MALIGNANT in {c.answer for c in result.etiology.vertebrae}

"""Who is asked, what is answered, what is left unsaid and why."""

from dataclasses import replace

import numpy as np
import pytest

from wirbel.errors import ModelError, UsageError
from wirbel.etiology import (
    SENTENCES,
    Calibrations,
    EtiologyScorer,
    EtiologySettings,
    Interval,
    Population,
    RawScore,
    Recalibrated,
    Refusal,
    Suspicion,
    Tier,
    TierRule,
    calibrate,
    classify,
)
from wirbel.etiology.classify import authors_tier
from wirbel.etiology.refusal import AS_REASON
from wirbel.etiology.settings import AuthorsThresholds
from wirbel.finding import ContrastPhase, DensityReading, Finding, Findings, Grade, Verdict
from wirbel.spine import Level, Numbering, NumberingStatus, Spine, Vertebra
from wirbel.vertebra import Density, Frame, NotMeasured, Reason, VertebraMeasures
from wirbel.volume import Grid, LabelMap, Volume

DIGEST = "d" * 64
GRID = Grid.axis_aligned((4, 4, 4), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
NO_LABELS = LabelMap(GRID, np.zeros(GRID.shape, np.uint8))
CT = Volume(GRID, np.zeros(GRID.shape, np.int16))
NOWHERE = np.zeros(3)
FRAME = Frame(NOWHERE, *np.eye(3))
GAP = NotMeasured(Reason.NO_NEIGHBOURS)


def vertebra(label: int, level: Level | None = Level.L1, **changes) -> Vertebra:
    return replace(Vertebra(label, level, None, NOWHERE, False), **changes)


def measured(label: int, *, heights=GAP, density=None) -> VertebraMeasures:
    return VertebraMeasures(label, FRAME, heights, 2.0, density or Density(90.0, 30.0, 4000.0, GAP), 2e4)


def finding(label: int, verdict: Verdict = Verdict.FRACTURE) -> Finding:
    gap = NotMeasured(Reason.TOUCHES_EDGE) if verdict is Verdict.NOT_ASSESSED else None
    return Finding(label, verdict, gap or Grade.NONE, None, gap or 0.3, (), {}, gap)


def answers(scorer, vertebrae, measures=None, findings=None, settings=None, real=False):
    spine = Spine(
        tuple(vertebrae), NO_LABELS, NO_LABELS, Numbering(NumberingStatus.NAMED, None, None, None), "drawn"
    )
    found = findings or [finding(v.label) for v in vertebrae]
    reading = DensityReading(None, None, GAP, ContrastPhase.UNKNOWN)
    return classify(
        CT, spine, measures or [measured(v.label) for v in vertebrae],
        Findings(tuple(found), GAP, reading, ()), scorer, settings or EtiologySettings(), real=real,
    ).vertebrae  # fmt: skip


def fit(simulated_scores, population=Population.FRACTURED, seed=1, **options):
    scores = simulated_scores(np.random.default_rng(seed), **{"malignant": 80, "osteoporotic": 80, **options})
    return calibrate(
        scores, scorer=DIGEST, name="drawn", simulated=True, rng=np.random.default_rng(2), population=population
    )


@pytest.fixture(scope="module")
def calibrations(simulated_scores):
    return Calibrations(fit(simulated_scores), fit(simulated_scores, Population.UNFRACTURED, seed=3))


@pytest.mark.parametrize("recalibrated", [False, True])
def test_every_scorer_answers_for_what_it_was_asked_in_numbers_of_its_members(
    recalibrated, fixed_scorer, calibrations
):
    scorer = fixed_scorer({1: 0.4, 2: -0.4})
    scorer = Recalibrated(scorer, calibrations) if recalibrated else scorer
    assert isinstance(scorer, EtiologyScorer)
    vertebrae = [vertebra(1), vertebra(2), vertebra(3)]
    spine = Spine(
        tuple(vertebrae), NO_LABELS, NO_LABELS, Numbering(NumberingStatus.NAMED, None, None, None), "drawn"
    )
    found = Findings(
        tuple(finding(v.label) for v in vertebrae), GAP, DensityReading(None, None, GAP, ContrastPhase.UNKNOWN), ()
    )
    scores = scorer(CT, spine, [measured(v.label) for v in vertebrae], found, [1, 3])
    assert [s.label for s in scores] == [1]
    assert {len(s.members) for s in scores} == {scorer.identity.members}


def test_a_fracture_gets_tier_probability_named_interval_and_prevalence(fixed_scorer, calibrations):
    scorer = fixed_scorer({1: -9.0, 2: 9.0}, calibrations)
    benign, malignant = answers(scorer, [vertebra(1), vertebra(2)])
    assert (benign.answer, malignant.answer) == (Tier.OSTEOPOROTIC, Tier.MALIGNANT)
    assert benign.p_malignant < 0.05 and malignant.p_malignant > 0.95
    for cause in (benign, malignant):
        assert cause.low <= cause.p_malignant <= cause.high
        assert (cause.interval, cause.rule) == (Interval.VENN_ABERS, TierRule.CERTIFIED)
        assert cause.prevalence == 0.5 and cause.reasons == () and cause.suspicion is None


def test_between_the_thresholds_is_uncertain_and_says_so(fixed_scorer, calibrations):
    tiers = calibrations.fractured.tiers
    middle = (tiers.osteoporotic_below + tiers.malignant_from) / 2
    assert tiers.osteoporotic_below < middle < tiers.malignant_from
    (cause,) = answers(fixed_scorer({1: middle}, calibrations), [vertebra(1)])
    assert cause.answer is Tier.UNCERTAIN and cause.reasons == (Refusal.BETWEEN_THRESHOLDS,)
    assert 0.0 < cause.p_malignant < 1.0


def test_the_assumed_prevalence_moves_the_probability_and_not_the_tier(fixed_scorer, calibrations):
    scorer = fixed_scorer({1: 2.0}, calibrations)
    (half,) = answers(scorer, [vertebra(1)])
    (rare,) = answers(scorer, [vertebra(1)], settings=EtiologySettings(prevalence=0.05))
    assert rare.p_malignant < half.p_malignant and rare.prevalence == 0.05
    assert rare.answer is half.answer
    with pytest.raises(UsageError, match="between 0 and 1"):
        EtiologySettings(prevalence=30.0)


def test_the_spread_of_the_ensemble_can_stand_beside_it_instead(fixed_scorer, calibrations):
    settings = EtiologySettings(interval=Interval.ENSEMBLE_SPREAD)
    (cause,) = answers(fixed_scorer({1: 0.0}, calibrations), [vertebra(1)], settings=settings)
    assert cause.interval is Interval.ENSEMBLE_SPREAD
    assert cause.low == pytest.approx(calibrations.fractured.probability(-0.2))


def test_nothing_certified_is_uncertain_whatever_the_score(fixed_scorer, simulated_scores):
    few = Calibrations(fit(simulated_scores, malignant=20, osteoporotic=20))
    for score in (-40.0, 40.0):
        (cause,) = answers(fixed_scorer({1: score}, few), [vertebra(1)])
        assert cause.answer is Tier.UNCERTAIN and cause.reasons == (Refusal.NOTHING_CERTIFIED,)


@pytest.mark.parametrize(
    ("log_odds", "tier"),
    [(1.74, Tier.MALIGNANT), (1.73, Tier.UNCERTAIN), (-2.94, Tier.UNCERTAIN), (-2.95, Tier.OSTEOPOROTIC)],
)
def test_the_authors_thresholds_cut_the_raw_softmax(log_odds, tier):
    """0.85 is a log-odds of 1.7346, 0.95 (of osteoporotic) one of -2.9444."""
    assert authors_tier(log_odds, AuthorsThresholds()) is tier


def test_without_calibration_there_is_no_probability_and_only_the_authors_rule_gives_a_tier(fixed_scorer):
    scorer = fixed_scorer({1: 5.0})
    (ours,) = answers(scorer, [vertebra(1)])
    assert ours.answer is Tier.UNCERTAIN and ours.reasons == (Refusal.NOT_CALIBRATED,)
    (theirs,) = answers(scorer, [vertebra(1)], settings=EtiologySettings(rule=TierRule.AUTHORS))
    assert theirs.answer is Tier.MALIGNANT and theirs.rule is TierRule.AUTHORS
    assert ours.p_malignant is None and theirs.p_malignant is None


@pytest.mark.parametrize(
    ("case", "measures", "verdict", "refusal"),
    [
        (vertebra(1, Level.C7), measured(1), Verdict.FRACTURE, Refusal.CERVICAL),
        (vertebra(1, Level.S1), measured(1), Verdict.FRACTURE, Refusal.SACRAL),
        (vertebra(1, cut_by_border=True), measured(1), Verdict.FRACTURE, Refusal.CUT),
        (vertebra(1, score=0.3), measured(1), Verdict.FRACTURE, Refusal.MASK_POOR),
        (vertebra(1), measured(1, heights=NotMeasured(Reason.MASK_POOR)), Verdict.FRACTURE, Refusal.MASK_POOR),
        (vertebra(1), measured(1, heights=NotMeasured(Reason.TOUCHES_EDGE)), Verdict.FRACTURE, Refusal.CUT),
        (vertebra(1), measured(1, heights=NotMeasured(Reason.TOO_COARSE)), Verdict.FRACTURE, Refusal.TOO_COARSE),
        (vertebra(1), measured(1, density=NotMeasured(Reason.METAL)), Verdict.FRACTURE, Refusal.METAL),
        (vertebra(1), measured(1, density=NotMeasured(Reason.CEMENT)), Verdict.FRACTURE, Refusal.CEMENT),
        (vertebra(1), measured(1), Verdict.NOT_ASSESSED, Refusal.NOT_ASSESSED),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_reason_and_never_scored(
    case, measures, verdict, refusal, fixed_scorer, calibrations
):
    scorer = fixed_scorer({1: 9.0}, calibrations, trained_with_normals=True)
    (cause,) = answers(scorer, [case], [measures], [finding(1, verdict)])
    assert cause.reasons[0] is refusal
    assert isinstance(cause.answer, NotMeasured) and cause.p_malignant is None
    assert scorer.asked == []


def test_a_fracture_that_was_not_assessed_keeps_the_reason_why_not(fixed_scorer, calibrations):
    (cause,) = answers(
        fixed_scorer({1: 9.0}, calibrations), [vertebra(1)], findings=[finding(1, Verdict.NOT_ASSESSED)]
    )
    assert cause.answer == NotMeasured(Reason.TOUCHES_EDGE) and cause.reasons == (Refusal.NOT_ASSESSED,)


def test_a_site_that_fitted_no_features_keeps_what_was_shipped_as_unlike(fixed_scorer, simulated_scores):
    shipped = Calibrations(fit(simulated_scores, features=4), fit(simulated_scores, Population.UNFRACTURED))
    site = Calibrations(fit(simulated_scores, seed=9))
    here = Recalibrated(fixed_scorer({1: 9.0}, shipped, features=(6.0, -6.0, 6.0, -6.0)), site)
    assert here.calibrations.fractured.cohort == site.fractured.cohort
    assert here.calibrations.fractured.novelty is shipped.fractured.novelty
    assert here.calibrations.unfractured is shipped.unfractured
    assert answers(here, [vertebra(1)])[0].reasons == (Refusal.UNLIKE_TRAINING,)


def test_a_crushed_body_without_trabecular_bone_is_not_refused(fixed_scorer, calibrations):
    few = measured(1, density=NotMeasured(Reason.MASK_POOR, "40 mm3 of trabecular bone"))
    (cause,) = answers(fixed_scorer({1: 9.0}, calibrations), [vertebra(1)], [few])
    assert cause.answer is Tier.MALIGNANT


def test_what_is_unlike_the_cohort_is_uncertain_without_probability_however_sure_the_score(
    fixed_scorer, simulated_scores
):
    fitted = Calibrations(fit(simulated_scores, features=4))
    usual = fixed_scorer({1: 9.0}, fitted, features=(1.0, 1.0, 1.0, 1.0))
    strange = fixed_scorer({1: 9.0}, fitted, features=(6.0, -6.0, 6.0, -6.0))
    assert answers(usual, [vertebra(1)])[0].answer is Tier.MALIGNANT
    for rule in TierRule:
        (cause,) = answers(strange, [vertebra(1)], settings=EtiologySettings(rule=rule))
        assert cause.answer is Tier.UNCERTAIN and cause.reasons == (Refusal.UNLIKE_TRAINING,)
        assert cause.p_malignant is None
    with pytest.raises(ModelError, match="2 features were given, the calibration knows 4"):
        answers(fixed_scorer({1: 9.0}, fitted, features=(0.0, 0.0)), [vertebra(1)])


@pytest.mark.parametrize("verdict", [Verdict.NORMAL, Verdict.BORDERLINE, Verdict.HEIGHT_LOSS])
def test_without_fracture_nothing_is_asked_of_a_scorer_that_never_saw_normal_ones(
    verdict, fixed_scorer, calibrations
):
    for fitted, with_normals in ((calibrations, False), (replace(calibrations, unfractured=None), True)):
        scorer = fixed_scorer({1: 9.0}, fitted, trained_with_normals=with_normals)
        (cause,) = answers(scorer, [vertebra(1)], findings=[finding(1, verdict)])
        assert cause.reasons == (Refusal.NOT_FRACTURED, Refusal.NO_CLASSIFIER)
        assert cause.suspicion is None and scorer.asked == []


def test_without_fracture_a_lesion_is_suspicious_and_never_malignant(fixed_scorer, calibrations):
    scorer = fixed_scorer({1: 9.0, 2: -9.0, 3: 9.0}, calibrations, trained_with_normals=True)
    found = [finding(1, Verdict.NORMAL), finding(2, Verdict.NORMAL), finding(3)]
    lesion, normal, fracture = answers(scorer, [vertebra(i) for i in (1, 2, 3)], findings=found)
    assert lesion.suspicion is Suspicion.SUSPICIOUS and normal.suspicion is None
    for cause in (lesion, normal):
        assert isinstance(cause.answer, NotMeasured) and cause.p_malignant is None
        assert cause.reasons[0] is Refusal.NOT_FRACTURED
    assert fracture.answer is Tier.MALIGNANT and fracture.suspicion is None
    assert scorer.asked == [[1, 2, 3]]


def test_a_calibration_on_drawings_says_nothing_of_a_real_ct(fixed_scorer, calibrations):
    found = [finding(1, Verdict.NORMAL), finding(2)]
    both = [vertebra(1), vertebra(2)]
    scorer = fixed_scorer({1: 9.0, 2: 9.0}, calibrations, trained_with_normals=True)
    sound, broken = answers(scorer, both, findings=found, real=True)
    assert sound.suspicion is None and sound.reasons == (Refusal.NOT_FRACTURED, Refusal.SIMULATED_ONLY)
    assert broken.answer is Tier.UNCERTAIN and broken.reasons == (Refusal.SIMULATED_ONLY,)
    assert broken.p_malignant is None and scorer.asked == [[2]]
    asked = answers(scorer, both, findings=found, real=True, settings=EtiologySettings(simulated_answers=True))
    own = Calibrations(*(
        replace(fitted, cohort=replace(fitted.cohort, simulated=False))
        for fitted in (calibrations.fractured, calibrations.unfractured)
    ))  # fmt: skip
    site = answers(fixed_scorer({1: 9.0, 2: 9.0}, own, trained_with_normals=True), both, findings=found, real=True)
    for sound, broken in (asked, site):
        assert sound.suspicion is Suspicion.SUSPICIOUS and broken.answer is Tier.MALIGNANT


def test_a_vertebra_the_scorer_leaves_out_has_a_reason(fixed_scorer, calibrations):
    first, second = answers(fixed_scorer({2: 9.0}, calibrations), [vertebra(1), vertebra(2)])
    assert first.reasons == (Refusal.NO_SCORE,) and second.answer is Tier.MALIGNANT


def test_a_calibration_of_another_ensemble_or_population_is_refused(fixed_scorer, calibrations):
    with pytest.raises(ModelError, match="fitted for another ensemble"):
        answers(fixed_scorer({1: 1.0}, calibrations, members=2), [vertebra(1)])
    foreign = replace(calibrations.fractured, scorer="e" * 64)
    with pytest.raises(ModelError, match="fitted for another ensemble"):
        answers(fixed_scorer({1: 1.0}, Calibrations(foreign)), [vertebra(1)])
    with pytest.raises(ModelError, match="for fractured vertebrae, it was given for unfractured"):
        answers(fixed_scorer({1: 1.0}, Calibrations(None, calibrations.fractured)), [vertebra(1)])


class Talkative:
    """Answers for a vertebra nobody asked about, or with too few members."""

    def __init__(self, fixed, score):
        self.identity, self.calibrations, self._score = fixed.identity, fixed.calibrations, score

    def __call__(self, ct, spine, measures, findings, labels, /):
        return (self._score,)


def test_scores_that_were_not_asked_for_or_lack_members_are_a_defect(fixed_scorer):
    with pytest.raises(ModelError, match="asked were"):
        answers(Talkative(fixed_scorer({}), RawScore(7, (0.0,) * 3)), [vertebra(1)])
    with pytest.raises(ModelError, match="has 3 members and gave 1 scores"):
        answers(Talkative(fixed_scorer({}), RawScore(1, (0.0,))), [vertebra(1)])


@pytest.mark.parametrize("members", [(), (np.nan,), (1.0, np.inf)])
def test_a_raw_score_is_numbers(members):
    with pytest.raises(ModelError, match="leave it out"):
        RawScore(1, members)


def test_every_refusal_has_a_sentence_and_those_that_leave_a_blank_a_word_of_the_report():
    assert set(SENTENCES) == set(Refusal)
    uncertain = {
        Refusal.SIMULATED_ONLY, Refusal.UNLIKE_TRAINING, Refusal.NOTHING_CERTIFIED, Refusal.BETWEEN_THRESHOLDS,
    }  # fmt: skip
    beside_another = {Refusal.NO_SIGN, Refusal.TWO_ENDPLATES}
    assert set(AS_REASON) == set(Refusal) - uncertain - beside_another
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())

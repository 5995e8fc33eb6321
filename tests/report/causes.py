"""A drawn column in which every kind of cause occurs; the answers are doubles of a classifier's, simulated."""

from dataclasses import replace

import numpy as np
from tests.report.conftest import (
    PROVENANCE,
    SERIES,
    Study,
    column,
    fracture,
    measured,
    normal,
    result_of,
)

from wirbel.etiology import (
    Cause,
    Clinical,
    Etiology,
    HeatMap,
    HeatMethod,
    Interval,
    Refusal,
    Sex,
    Suspicion,
    Tier,
    TierRule,
)
from wirbel.finding import Finding, Grade, Shape, Verdict, Why
from wirbel.finding.signs import Sign, Signs, SignValues
from wirbel.spine import Level
from wirbel.vertebra import NotMeasured, Reason
from wirbel.volume import Grid, LabelMap

LEVELS = [Level.T12, Level.L1, Level.L2, Level.L3, Level.L4, Level.L5]
NOT_FRACTURED = NotMeasured(Reason.NOT_FRACTURED)
#: Where the drawn heat map is strongest, from the body's centre: toward left, posterior, superior, mm.
HOT_MM = np.array([12.0, 4.0, 6.0])
WITH_CLASSIFIER = replace(
    PROVENANCE,
    classifier="fracture 0.1.0 (trained on simulated images)",
    classifier_simulated=True,
    calibration_sha256={"fractured": "cd" * 32, "unfractured": "ef" * 32},
    simulated_calibrations=("fractured", "unfractured"),
)


def heat_at(centre: np.ndarray, *, top: float = 1.0) -> HeatMap:
    """A hill of 6 mm around `HOT_MM`."""
    grid = Grid.axis_aligned((24, 24, 24), (2.5, 2.5, 2.5), tuple(float(c) - 28.75 for c in centre))
    away = grid.to_lps_mm(np.indices(grid.shape).reshape(3, -1).T.astype(float)) - centre - HOT_MM
    values = np.exp(-(away**2).sum(axis=1) / 72)
    return HeatMap(
        grid, (top * values / values.max()).reshape(grid.shape).astype(np.float32), HeatMethod.GRAD_CAM, ("b2_0",)
    )


def signs_at(label: int, centre: np.ndarray, **values: float) -> Signs:
    """Signs with the given values, 0 else; angle and sharpness are not present; each given one has a place."""
    table = {sign.value: 0.0 for sign in Sign}
    table |= {"trabecular_density_hu": 88.0, "density_difference_hu": 21.0, **values}
    measured_values = SignValues(**{
        **table,
        "retropulsion_angle_deg": NotMeasured(Reason.NOT_PRESENT, "no retropulsion"),
        "fracture_line_sharpness_hu_per_mm": NotMeasured(Reason.TOO_COARSE, "slices of 2.5 mm"),
    })
    grid = Grid.axis_aligned((8, 8, 8), (1.0, 1.0, 1.0), tuple(float(c) - 4 for c in centre))
    place = LabelMap(grid, np.ones(grid.shape, np.uint8))
    return Signs(label, measured_values, (1, 6), {sign: place for sign in Sign if sign.value in values})


def cause_study() -> Study:
    """T12 normal, L1 malignant, L2 osteoporotic, L3 suspicious without fracture, L4 unlike the training data,
    L5 borderline."""
    ct, spine = column(LEVELS)
    centres = [v.centre_lps_mm for v in spine.vertebrae]
    squeezed = (0.0, 0.3, 0.32, 0.0, 0.45, 0.12)
    measures = [measured(v, squeezed=s) for v, s in zip(spine.vertebrae, squeezed, strict=True)]
    findings = [
        normal(1), fracture(2, Grade.MODERATE, Shape.WEDGE, 0.3), fracture(3, Grade.MODERATE, Shape.WEDGE, 0.32),
        normal(4), fracture(5, Grade.SEVERE, Shape.CRUSH, 0.45),
        Finding(6, Verdict.BORDERLINE, Grade.NONE, None, 0.19, (Why.NEAR_THRESHOLD,), {}),
    ]  # fmt: skip
    certified = TierRule.CERTIFIED
    causes = (
        Cause(1, NOT_FRACTURED, reasons=(Refusal.NOT_FRACTURED,)),
        Cause(2, Tier.MALIGNANT, 0.874, 0.71, 0.996, Interval.VENN_ABERS, 0.5, certified, heat=heat_at(centres[1])),
        Cause(3, Tier.OSTEOPOROTIC, 0.042, 0.004, 0.12, Interval.VENN_ABERS, 0.5, certified),
        Cause(4, NOT_FRACTURED, rule=certified, reasons=(Refusal.NOT_FRACTURED,), suspicion=Suspicion.SUSPICIOUS,
              heat=heat_at(centres[3])),
        Cause(5, Tier.UNCERTAIN, rule=certified, reasons=(Refusal.UNLIKE_TRAINING,)),
        Cause(6, NOT_FRACTURED, reasons=(Refusal.NOT_FRACTURED, Refusal.UNLIKE_TRAINING)),
    )  # fmt: skip
    signs = (
        None,
        signs_at(2, centres[1], cortex_destroyed_fraction=0.31, epidural_mass_mm3=1240.0, retropulsion_mm=2.4),
        signs_at(3, centres[2], vacuum_mm3=84.0, fracture_line_area_mm2=220.0, posterior_convexity_mm=-0.8),
        signs_at(4, centres[3], lytic_fraction=0.42),
        Signs(5, SignValues.blank(NotMeasured(Reason.METAL, "41 mm3 above 2000 HU"))),
        None,
    )
    result = result_of(spine, measures, findings, series=SERIES)
    clinical = Clinical(71.4, Sex.FEMALE)
    told = replace(
        result, etiology=Etiology(causes), provenance=WITH_CLASSIFIER, signs=signs, clinical=clinical
    )
    return told, ct


def only_suspicious() -> Study:
    """The same column without any fracture; L3 is suspicious."""
    result, ct = cause_study()
    findings = replace(result.findings, vertebrae=tuple(normal(i) for i in range(1, 7)))
    causes = tuple(
        c if c.suspicion else Cause(c.label, NOT_FRACTURED, reasons=(Refusal.NOT_FRACTURED,))
        for c in result.etiology.vertebrae
    )
    signs = tuple(s if s is not None and s.label == 4 else None for s in result.signs)
    return replace(result, findings=findings, etiology=Etiology(causes), signs=signs), ct

"""Statistics by which readers and software are compared: arrays in, small records out.

Needs numpy and scipy alone. In groups: the value types; one yes-or-no reading; one score; two readings; units in
clusters; abstention and tiers; calibration; segmentation and names. Agreement of readers is in `agreement`,
`kappa`, `alpha` and `icc`; several readers and cases are in `mrmc`.
"""

from wirbel.evaluation.abstention import (
    Undecided,
    against_reader,
    area_under_risk_coverage,
    bootstrap_area_under_risk_coverage,
    risk_coverage,
    selective,
)
from wirbel.evaluation.accuracy import Accuracy, Confusion, accuracy_table, confusion, npv_at, ppv_at
from wirbel.evaluation.auc import AucInterval, auc, average_precision_estimate, bootstrap_auc, partial_auc
from wirbel.evaluation.auc_power import one_area, paired_areas, paired_areas_binormal
from wirbel.evaluation.calibration import (
    bootstrap_calibration_error,
    brier_decomposition,
    brier_score,
    debiased_calibration_error,
    expected_calibration_error,
    reliability_curve,
)
from wirbel.evaluation.calibration_tests import calibration_line, hosmer_lemeshow, spiegelhalter
from wirbel.evaluation.clustered_accuracy import (
    bootstrap_clustered_accuracy_table,
    clustered_accuracy_table,
    clustered_npv_at,
    clustered_ppv_at,
)
from wirbel.evaluation.clustered_auc import bootstrap_clustered_auc, clustered_auc, compare_clustered_auc
from wirbel.evaluation.clustered_shares import (
    bootstrap_clustered_proportion,
    clustered_proportion,
    compare_clustered_proportions,
)
from wirbel.evaluation.compare_auc import Alternative, compare_paired_auc, compare_unpaired_auc, contrast_auc
from wirbel.evaluation.decision_curve import decision_curve
from wirbel.evaluation.estimate import Comparison, Estimate, NotEstimable, Significance
from wirbel.evaluation.labelling import genant_confusion, identification
from wirbel.evaluation.overlap import dice, dice_per_label, intersection_over_union
from wirbel.evaluation.paired_calls import McNemar, compare_paired_calls, compare_unpaired_calls, mcnemar
from wirbel.evaluation.permutation import holm, permutation_test_auc, permutation_test_paired_auc
from wirbel.evaluation.proportions import ProportionInterval, proportion
from wirbel.evaluation.resampling import bootstrap, cluster_bootstrap
from wirbel.evaluation.roc import average_precision, partial_area, roc_curve
from wirbel.evaluation.structures import mean_over_cases, segmentation_figures
from wirbel.evaluation.surface_distance import Surface, surface_distances
from wirbel.evaluation.tiers import Tier, mri_policy, tier_table, tiers_of

__all__ = [
    "Accuracy",
    "Alternative",
    "AucInterval",
    "Comparison",
    "Confusion",
    "Estimate",
    "McNemar",
    "NotEstimable",
    "ProportionInterval",
    "Significance",
    "Surface",
    "Tier",
    "Undecided",
    "accuracy_table",
    "against_reader",
    "area_under_risk_coverage",
    "auc",
    "average_precision",
    "average_precision_estimate",
    "bootstrap",
    "bootstrap_area_under_risk_coverage",
    "bootstrap_auc",
    "bootstrap_calibration_error",
    "bootstrap_clustered_accuracy_table",
    "bootstrap_clustered_auc",
    "bootstrap_clustered_proportion",
    "brier_decomposition",
    "brier_score",
    "calibration_line",
    "cluster_bootstrap",
    "clustered_accuracy_table",
    "clustered_auc",
    "clustered_npv_at",
    "clustered_ppv_at",
    "clustered_proportion",
    "compare_clustered_auc",
    "compare_clustered_proportions",
    "compare_paired_auc",
    "compare_paired_calls",
    "compare_unpaired_auc",
    "compare_unpaired_calls",
    "confusion",
    "contrast_auc",
    "debiased_calibration_error",
    "decision_curve",
    "dice",
    "dice_per_label",
    "expected_calibration_error",
    "genant_confusion",
    "holm",
    "hosmer_lemeshow",
    "identification",
    "intersection_over_union",
    "mcnemar",
    "mean_over_cases",
    "mri_policy",
    "npv_at",
    "one_area",
    "paired_areas",
    "paired_areas_binormal",
    "partial_area",
    "partial_auc",
    "permutation_test_auc",
    "permutation_test_paired_auc",
    "ppv_at",
    "proportion",
    "reliability_curve",
    "risk_coverage",
    "roc_curve",
    "segmentation_figures",
    "selective",
    "spiegelhalter",
    "surface_distances",
    "tier_table",
    "tiers_of",
]

"""The seed study's tables: retyped right, and what recomputing them says."""

import json

import numpy as np
import pytest

from wirbel.evaluation.foreman import ALL_CASES, MEASURES, ROWS, recompute


@pytest.fixture(scope="module")
def answer():
    return recompute(rng=np.random.default_rng(2024))


def test_the_retyped_tables_are_the_printed_ones(data_dir):
    printed = json.loads((data_dir / "oracles" / "foreman2024.json").read_text())
    lines = [
        line[site] for table in ("table4", "table5") for name, line in printed[table].items()
        if "best_model" not in name for site in ("internal", "external")
    ]
    for row, line in zip(ROWS, lines, strict=True):
        s, n = line["sensitivity"], line["specificity"]
        assert (row.true_positive, row.positives) == (s["true_positive"], s["positives"])
        assert (row.true_negative, row.negatives) == (n["true_negative"], n["negatives"])
        for measure in MEASURES:
            ours, entry = getattr(row, measure), line[measure]
            assert [ours.low, ours.high] == entry["ci95"]
            assert ours.value == pytest.approx(entry.get("value", entry.get("printed_percent", 0) / 100))


def test_every_printed_auc_is_that_of_one_operating_point(answer):
    assert len(answer.auc_is_one_operating_point) == 12
    assert all(answer.auc_is_one_operating_point.values())


def test_a_bootstrap_of_cases_comes_closest_to_the_printed_intervals(answer):
    assert answer.closest == "bootstrap of cases"
    assert answer.agreeing["bootstrap of cases"] >= 34
    assert answer.agreeing["Wilson"] == 0


def test_one_printed_interval_is_explained_by_no_method(answer):
    (odd,) = answer.unexplained
    assert (odd.row.who, odd.row.site, odd.measure) == ("approach 1", "external", "specificity")
    assert (odd.row.true_negative, odd.row.negatives, odd.printed.low) == (20, 30, 0.59)
    assert max(low for low, _ in odd.ours.values()) < 0.51


def test_counting_the_undecided_lowers_what_was_printed(answer):
    for u in answer.undecided:
        assert u.undecided_positive + u.undecided_negative == {"internal": 20, "external": 15}[u.site]
        assert u.as_wrong[0] < u.decided[0] and u.as_wrong[1] < u.decided[1]
        assert u.as_suspected[0] >= u.as_wrong[0]
    external = answer.undecided[1]
    assert external.as_wrong == (25 / 35, 14 / 30)


def test_the_counts_fit_the_test_sets():
    for row in ROWS:
        positives, negatives = ALL_CASES[row.site]
        assert row.positives <= positives and row.negatives <= negatives
        assert abs(row.sensitivity.value - row.true_positive / row.positives) < 0.0051
        if row.who != "approach 3":
            assert (row.positives, row.negatives) == (positives, negatives)

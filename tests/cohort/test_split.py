"""Splits: whole patients, exact sizes, classes in proportion, seeded; nothing is overwritten unasked."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wirbel.cohort.labelled import Diagnosis, LabelledVertebra, Sex, Source, Split
from wirbel.cohort.split import Assigned, SplitSettings, split_patients, whole_numbers, with_splits
from wirbel.cohort.table import table_from
from wirbel.errors import InputRejected, UsageError
from wirbel.spine import Level

BENIGN, MALIGNANT = Diagnosis.OSTEOPOROTIC_FRACTURE, Diagnosis.MALIGNANT_FRACTURE


def patients(n: int, seed: int, sites: tuple[str, ...] = ("A",)) -> list[LabelledVertebra]:
    """Patients with one to five vertebrae, one in eight with both classes, as in the study's mixture."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        own = [BENIGN] if rng.random() < 0.45 else [MALIGNANT]
        both = rng.random() < 0.12
        sex, age = rng.choice([Sex.FEMALE, Sex.MALE]), float(rng.integers(40, 90))
        for k in range(int(rng.integers(1, 6))):
            diagnosis = [BENIGN, MALIGNANT][k % 2] if both else own[0]
            if own[0] is MALIGNANT and k > 2:
                diagnosis = Diagnosis.MALIGNANT_LESION
            rows.append(
                LabelledVertebra(
                    len(rows) + 2, f"p{i:03d}", Level(12 + k), diagnosis, (Source.HISTOLOGY,), age_years=age,
                    sex=Sex(sex), site=sites[i % len(sites)],
                )
            )  # fmt: skip
    return rows


def shares(rows: list[LabelledVertebra], assigned: dict[str, Assigned], split: Split) -> dict[Diagnosis, float]:
    """The split's share of each class's patients."""
    out = {}
    for d in (BENIGN, MALIGNANT):
        own = {v.patient for v in rows if v.diagnosis is d}
        out[d] = sum(assigned[p].split is split for p in own) / len(own)
    return out


@settings(max_examples=12, deadline=None)
@given(n=st.integers(60, 200), seed=st.integers(0, 10_000))
def test_sizes_are_exact_and_classes_come_in_proportion(n: int, seed: int) -> None:
    rows = patients(n, seed)
    assigned = split_patients(rows, SplitSettings(0.18, 0.1), seed=seed)
    counts = Counter(a.split for a in assigned.values())
    assert counts[Split.TEST] in (int(0.18 * n), int(0.18 * n) + 1)
    assert sum(counts.values()) == n
    for split, share in ((Split.TEST, 0.18), (Split.CALIBRATION, 0.1), (Split.TRAIN, 0.72)):
        for own in shares(rows, assigned, split).values():
            assert abs(own - share) < 0.03 + 1.0 / (0.3 * n)
    folds = Counter(a.fold for a in assigned.values() if a.split is Split.TRAIN)
    assert set(folds) == {1, 2, 3, 4, 5}
    assert max(folds.values()) - min(folds.values()) <= 1


def test_balance_is_better_than_chance() -> None:
    rows = patients(120, 3)
    names = sorted({v.patient for v in rows})

    def worst(assigned: dict[str, Assigned]) -> float:
        return max(abs(share - 22 / 120) for share in shares(rows, assigned, Split.TEST).values())

    rng = np.random.default_rng(0)
    by_chance = []
    for _ in range(200):
        order = rng.permutation(names)
        dealt = {str(p): Assigned(Split.TEST if k < 22 else Split.TRAIN) for k, p in enumerate(order)}
        by_chance.append(worst(dealt))
    assert worst(split_patients(rows, SplitSettings(), seed=1)) <= np.quantile(by_chance, 0.05)


def test_the_same_seed_deals_the_same_and_the_order_of_rows_does_not_matter() -> None:
    rows = patients(80, 5)
    first = split_patients(rows, SplitSettings(), seed=7)
    assert split_patients(rows[::-1], SplitSettings(), seed=7) == first
    assert split_patients(rows, SplitSettings(), seed=8) != first


def test_external_sites_are_never_trained_on() -> None:
    rows = patients(80, 5, ("A", "B"))
    assigned = split_patients(rows, SplitSettings(external_sites=("B",)), seed=1)
    outside = {v.patient for v in rows if v.site == "B"}
    assert {p for p, a in assigned.items() if a.split is Split.EXTERNAL} == outside
    with pytest.raises(UsageError, match="no patient of site 'C': the sites are A, B"):
        split_patients(rows, SplitSettings(external_sites=("C",)), seed=1)


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(InputRejected, match="3 patients are too few"):
        split_patients(patients(3, 1), SplitSettings(), seed=1)


@pytest.mark.parametrize("bad", [{"test_share": 1.0}, {"test_share": -0.1}, {"folds": 1}])
def test_shares_and_folds_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        SplitSettings(**bad)


def test_a_split_that_is_there_is_not_overwritten_unasked() -> None:
    text = "patient\tvertebra\tclass\tsource\tsplit\tremark\np1\tL1\tnormal\texpert\ttrain\tkeep\n"
    table = table_from(text, "t.tsv")
    assigned = {"p1": Assigned(Split.TEST)}
    with pytest.raises(UsageError, match="has splits already"):
        with_splits(table, assigned)
    new = with_splits(table, assigned, overwrite=True)
    assert (new.vertebrae[0].split, new.vertebrae[0].fold) == (Split.TEST, None)
    assert new.rows[0][5] == "keep"


@given(total=st.integers(0, 500), parts=st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
def test_whole_numbers_sum_up_and_differ_by_less_than_one(total: int, parts: list[float]) -> None:
    counts = whole_numbers(total, parts)
    assert sum(counts) == total
    assert all(abs(c - total * s / sum(parts)) < 1 + 1e-6 for c, s in zip(counts, parts, strict=True))

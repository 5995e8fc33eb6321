import re

import numpy as np
import pytest

from wirbel.evaluation.mrmc import AreaUnderCurve, Design, layout_of, obuchowski_rockette, readings_from_long
from wirbel.evaluation.mrmc.figures import leave_one_out

from .simulated_studies import factorial, missing, split_plot, unpaired_cases, unpaired_readers, with_pattern

TABLE = {
    "reader": ["A", "A", "A", "A", "B", "B", "B", "B"],
    "treatment": ["CT"] * 8,
    "case": ["1", "2", "3", "4"] * 2,
    "truth": [0, 0, 1, 1] * 2,
    "rating": [1.0, 3.0, 2.0, 5.0, 2.0, 1.0, 4.0, 4.0],
}


def build(**changes):
    return readings_from_long(**(TABLE | changes))


def test_a_long_table_becomes_a_grid_in_order_of_appearance():
    readings = build()
    assert readings.readers == ("A", "B") and readings.cases == ("1", "2", "3", "4")
    assert readings.ratings[0, 1].tolist() == [2.0, 1.0, 4.0, 4.0]
    assert readings.truth.tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"rating": [1.0, np.nan, 2, 5, 2, 1, 4, 4]},
            "the rating of reader 'A', treatment 'CT', case '2' (row 2) is nan",
        ),
        ({"case": ["1", "2", "3", "4", "1", "2", "3", "3"]}, "case '3' (row 7) is given a second time in row 8"),
        ({"truth": [0, 0, 0, 0] * 2}, "all 4 cases are non-diseased"),
        ({"truth": [0, 0, 2, 1] * 2}, "the truth of reader 'A', treatment 'CT', case '3' (row 3) is 2"),
        ({"truth": [0, 0, 1, 1, 1, 0, 1, 1]}, "the truth of case '1' changes in row 5"),
        ({"patient": ["p", "q", "r", "s", "p", "p", "r", "s"]}, "the patient of case '2' changes in row 6"),
        ({"reader": ["A"] * 7}, "the columns differ in length"),
    ],
)
def test_a_bad_table_is_refused_with_what_and_where(changes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        build(**changes)


def test_an_unknown_reader_is_named_with_those_there_are():
    with pytest.raises(ValueError, match="unknown reader 'C': the table has 'A', 'B'"):
        build().only(readers=["A", "C"])


def test_a_reader_without_a_class_is_named():
    readings = readings_from_long(
        ["A", "A", "A", "B", "B"], ["CT"] * 5, ["1", "2", "3", "1", "2"], [0, 0, 1, 0, 0], [1, 2, 3, 1, 2]
    )
    with pytest.raises(ValueError, match="reader 'B' under treatment 'CT' read no diseased case: AUC is undefined"):
        obuchowski_rockette(readings)


def test_a_single_diseased_patient_is_refused_by_name():
    readings = build(truth=[0, 0, 0, 1] * 2)
    with pytest.raises(ValueError, match="undefined without case '4'"):
        leave_one_out(readings, AreaUnderCurve())


def test_the_ratings_cannot_be_changed_afterwards_and_the_callers_array_stays_free():
    rating = np.array(TABLE["rating"])
    readings = build(rating=rating)
    rating[0] = 99.0
    assert readings.ratings[0, 0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        readings.ratings[0, 0, 0] = 2.0


@pytest.mark.parametrize(
    ("study", "design"),
    [
        (factorial, Design.FACTORIAL),
        (split_plot, Design.SPLIT_PLOT),
        (missing, Design.INCOMPLETE),
        (unpaired_readers, Design.READERS_NESTED),
        (unpaired_cases, Design.CASES_NESTED_IN_TREATMENTS),
    ],
)
def test_the_design_is_recognised_from_the_pattern(study, design):
    assert layout_of(study(np.random.default_rng(0))).design is design


def test_a_mix_of_paired_and_unpaired_readers_is_refused_by_name():
    study = factorial(np.random.default_rng(0), readers=3)
    pattern = np.array([[True, True, True], [True, True, False]])[:, :, None]
    with pytest.raises(
        ValueError, match=r"reader 'reader 3' has no reading under treatment 'treatment 2'.*unbalanced"
    ):
        layout_of(with_pattern(study, pattern))

"""Reading tables as text: CSV, iMRMC, Iowa's .lrc."""

import pytest

from wirbel.evaluation.reading_tables import (
    ReadingColumns,
    numbers,
    read_columns,
    readings_from_csv,
    readings_from_imrmc,
    readings_from_lrc,
)

CSV = """rater,arm,study,disease,score,person
A,CT,1,0,1,p1
A,CT,2,1,4,p1
A,CT,3,0,2,p2
A,CT,4,1,5,p3
B,CT,1,0,2,p1
B,CT,2,1,3,p1
B,CT,3,0,,p2
B,CT,4,1,1,p3
"""
COLUMNS = ReadingColumns("rater", "arm", "study", "disease", "score", "person")

IMRMC = """Simulated input
NR: 2
N0: 1
N1: 2
NM: 2

BEGIN DATA:
-1,1,0,0
-1,2,0,1
-1,3,0,1
1,1,1,0.5
1,1,2,0.25
1,2,1,1.5
1,2,2,2.0
1,3,1,1.0
1,3,2,2.0
2,1,1,-0.5
2,1,2,0.0
2,2,1,1.25
2,2,2,1.0
2,3,1,1.0
2,3,2,0.5
"""

LRC = """A title
first reader
"film" "soft copy"
L L
1 3 0
2 3 1
*
5 5 2
4 3 3
*
second reader
2\t3\t0
1\t2\t1
*
5\t4\t2
3\t3\t3
*
#
"""


def test_a_tidy_csv_is_read_by_the_names_of_its_columns():
    readings = readings_from_csv(CSV, COLUMNS)
    assert readings.readers == ("A", "B") and readings.n_patients == 3 and readings.clustered
    assert not readings.read[0, 1, 2], "an empty rating is a reading that was not made"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (CSV.replace("score", "note"), "no column 'score'; its columns are rater, arm"),
        (CSV.replace("A,CT,2,1,4,p1", "A,CT,2,1,high,p1"), "column 'score', row 2: 'high' is not a number"),
        (CSV.replace("A,CT,2,1,4,p1", "A,CT,2,1,4"), "row 2 has 5 entries, the header 6"),
        (CSV.replace("A,CT,2,1,4,p1", "A,CT,1,0,4,p1"), "is given a second time in row 2"),
        ("rater,arm\n", "the table is empty"),
        ("a,a\n1,2\n", "two columns have the same name"),
    ],
)
def test_a_bad_csv_says_what_and_where(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        readings_from_csv(text, COLUMNS)


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    assert numbers(read_columns("\ufeffa,b\n1,2\n"), "a") == [1.0]


def test_the_imrmc_form_is_read():
    readings = readings_from_imrmc(IMRMC)
    assert readings.readers == ("1", "2") and readings.treatments == ("1", "2")
    assert readings.truth.tolist() == [False, True, True]
    assert readings.ratings[1, 0].tolist() == [0.25, 2.0, 2.0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (IMRMC.replace("BEGIN DATA:", ""), "no line 'BEGIN DATA:'"),
        (IMRMC.replace("N1: 2", "N1: 3"), "the head says N1: 3, the data have 2"),
        (IMRMC.replace("-1,3,0,1\n", ""), "case '3' has readings but no truth row"),
        (IMRMC + "-1,3,0,1\n", "the truth of case '3' is given a second time"),
        (IMRMC.replace("1,1,1,0.5", "1,1,1,a"), "the score 'a' is not a number"),
        (IMRMC.replace("1,1,1,0.5", "1,1,0.5"), "reader, case, modality and score are expected"),
    ],
)
def test_a_bad_imrmc_text_says_what_and_where(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        readings_from_imrmc(text)


def test_iowas_form_is_read():
    readings = readings_from_lrc(LRC)
    assert readings.readers == ("first reader", "second reader")
    assert readings.treatments == ("film", "soft copy")
    assert readings.truth.tolist() == [False, False, True, True]
    assert readings.ratings[:, 1].tolist() == [[2, 1, 5, 3], [3, 2, 4, 3]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LRC.replace("L L", "L S"), "only 'L'"),
        (LRC.replace("L L", "L"), "2 treatments are named but 1 directions"),
        (LRC.replace("4 3 3", "4"), "line 9: 2 ratings"),
        (LRC.replace("4 3 3", "4 x 3"), "line 9: the rating 'x' is not a number"),
        ("short", "too short"),
    ],
)
def test_a_bad_lrc_text_says_what_and_where(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        readings_from_lrc(text)

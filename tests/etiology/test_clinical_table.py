"""Clinical data from files: read when they are clear, one sentence when they are not."""

import pytest

from wirbel.errors import UsageError
from wirbel.etiology import Clinical, Sex, read_clinical


def one(text: str) -> Clinical:
    return read_clinical(text).of(patient="P1", study=["ct"])


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ('{"age": 71, "sex": "F", "known_cancer": true}', Clinical(71.0, Sex.FEMALE, known_cancer=True)),
        ('{"age": null, "known_cancer": false}', Clinical(None, None, known_cancer=False)),
        ("age,sex,known_cancer\n71.5,male,no\n", Clinical(71.5, Sex.MALE, known_cancer=False)),
        ("\ufeffage;sex;known_cancer\r\n71,5;O;\r\n", Clinical(71.5, Sex.OTHER)),
        ("age\tsex\n\tunknown\n", Clinical()),
        ("patient,age\nP1,60\nP2,70\n", Clinical(60.0)),
        ("study,age\nother,60\nct,70\n", Clinical(70.0)),
        ("patient,age\nP7,60\n", Clinical()),
        ("patient,study,age\nP1,,60\nP1,ct,61\n", Clinical(61.0)),
        ("patient,age\nP1,60\nP1,60\n", Clinical(60.0)),
    ],
)
def test_what_is_known_is_read_and_the_rest_stays_unknown(text: str, known: Clinical) -> None:
    assert one(text) == known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rows"),
        ("age,sex\n", "no rows"),
        ("[]", "no rows"),
        ("{", "no JSON"),
        ("[1]", "list of objects"),
        ('{"age": "old"}', "row 1: age 'old' is no number"),
        ("age\n-3\n", "row 1: an age must lie between 0 and 125"),
        ("age\n140\n", "row 1: an age must lie between"),
        ("age,sex\n70,w\n", "sex 'w' is none of F, M, O"),
        ("age,known_cancer\n70,maybe\n", "neither yes nor no"),
        ("age,cancer\n70,yes\n", "'cancer' is unknown"),
        ("patient\nP1\n", "nothing is given"),
        ("age,sex\n70\n", "1 cells, the header has 2"),
        ("age\n70\n71\n", "each needs a patient or a study"),
        ("patient,age\nP1,70\nP1,71\n", "several rows that fit"),
        ("patient,study,age\nP2,ct,70\n", "names another patient"),
    ],
)
def test_bad_input_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        one(text)
    assert "\n" not in str(refused.value)


def test_no_patient_shows_in_representations_or_messages() -> None:
    table = read_clinical("patient,age\nP-0042,70\nP-0042,71\n")
    assert "P-0042" not in repr(table)
    with pytest.raises(UsageError) as refused:
        table.of(patient="P-0042", study=["x"])
    assert "P-0042" not in str(refused.value)

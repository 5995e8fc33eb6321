"""The table: what is read, what is refused with which sentence, and that nothing is lost."""

from pathlib import Path

import pytest

from wirbel.cohort.labelled import Contrast, Diagnosis, Sex, Source, Split
from wirbel.cohort.problem import Code
from wirbel.cohort.table import find_table, read_table, table_from, table_text, with_cells
from wirbel.errors import InputRejected, UsageError
from wirbel.spine import Level

HEAD = "patient\tvertebra\tclass\tsource"


def test_a_full_row_is_read_with_its_units() -> None:
    text = (
        "patient,vertebra,class,source,follow_up_months,pet_ct_days,age,sex,scanner,contrast,site,split,fold,image\n"
        "sub-p1,Th12,Malignant fracture,pet-ct; expert,,-40,67,f,iCT 256,portal venous,Munich,train,3,ses-01\n"
    )
    (v,) = table_from(text, "t.csv").checked().vertebrae
    assert (v.patient, v.level, v.diagnosis) == ("p1", Level.T12, Diagnosis.MALIGNANT_FRACTURE)
    assert v.sources == (Source.PET_CT, Source.EXPERT)
    assert (v.pet_ct_days, v.follow_up_months, v.age_years, v.sex) == (-40.0, None, 67.0, Sex.FEMALE)
    assert (v.scanner, v.contrast, v.site) == ("iCT 256", Contrast.PORTAL_VENOUS, "Munich")
    assert (v.split, v.fold, v.image, v.line) == (Split.TRAIN, 3, "ses-01", 2)


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        ("p1\tL1\tmalgnant\thistology", Code.UNKNOWN_CLASS, "t.tsv, line 2, class: 'malgnant' is no class"),
        ("p1\tL1\t\thistology", Code.MISSING_VALUE, "no class: write one of osteoporotic_fracture"),
        ("p1\tK1\tnormal\texpert", Code.UNKNOWN_LEVEL, "line 2, vertebra: 'K1' is no vertebra"),
        ("p1\tL1\tnormal\tguess", Code.UNKNOWN_SOURCE, "line 2, source: 'guess' is no source"),
        ("\tL1\tnormal\texpert", Code.MISSING_VALUE, "line 2, patient: no patient"),
        ("p_1\tL1\tnormal\texpert", Code.UNKNOWN_WORD, "letters, digits and hyphens only"),
    ],
)
def test_a_row_that_cannot_be_read_names_line_column_and_cure(row: str, code: Code, words: str) -> None:
    table = table_from(f"{HEAD}\n{row}\n", "t.tsv")
    assert [p.code for p in table.problems] == [code]
    assert words in table.problems[0].text
    assert not table.vertebrae
    assert len(table.unread) == 1
    with pytest.raises(InputRejected, match=r"t\.tsv, line 2"):
        table.checked()


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("age", "nan", Code.NOT_A_NUMBER),
        ("age", "180", Code.OUT_OF_RANGE),
        ("age", "old", Code.NOT_A_NUMBER),
        ("follow_up_months", "-2", Code.OUT_OF_RANGE),
        ("pet_ct_days", "inf", Code.NOT_A_NUMBER),
        ("sex", "x", Code.UNKNOWN_WORD),
        ("split", "validation", Code.UNKNOWN_WORD),
        ("contrast", "venous", Code.UNKNOWN_WORD),
        ("fold", "1.5", Code.OUT_OF_RANGE),
    ],
)
def test_a_bad_cell_beside_a_good_label_keeps_the_row_and_is_told(column: str, cell: str, code: Code) -> None:
    table = table_from(f"{HEAD}\t{column}\np1\tL1\tnormal\texpert\t{cell}\n", "t.tsv")
    assert [(p.code, p.where) for p in table.problems] == [(code, f"t.tsv, line 2, {column}")]
    assert len(table.vertebrae) == 1


def test_empty_cells_and_bids_n_a_are_unknown_not_zero() -> None:
    table = table_from(f"{HEAD}\tage\tsex\tscanner\np1\tL1\tnormal\texpert\tn/a\t\tN/A\n", "t.tsv").checked()
    v = table.vertebrae[0]
    assert (v.age_years, v.sex, v.scanner) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("patient\tvertebra\tclass\np\tL1\tnormal\n", "no column source"),
        (f"{HEAD}\tage\tage\np\tL1\tnormal\texpert\t1\t2\n", "column age is there twice"),
        (f"{HEAD}\np\tL1\tnormal\n", "line 2: 3 cells, the header has 4"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(InputRejected, match=words):
        table_from(text, "t.tsv")


def test_rewriting_a_column_keeps_foreign_columns_empty_lines_and_order() -> None:
    text = f"{HEAD}\tremark\np1\tL1\tnormal\texpert\tseen, twice\n\np2\tL2\tnormal\texpert\tä\n"
    table = table_from(text, "t.tsv")
    assert [v.line for v in table.vertebrae] == [2, 4]
    new = with_cells(table, "split", {2: "train", 4: "test"})
    assert [v.split for v in new.vertebrae] == [Split.TRAIN, Split.TEST]
    assert new.columns == (*table.columns, "split")
    assert table_text(new.columns, new.rows).splitlines()[1] == "p1\tL1\tnormal\texpert\tseen, twice\ttrain"
    assert [v.line for v in new.vertebrae] == [2, 4]


def test_semicolons_commas_and_a_byte_order_mark_are_what_spreadsheets_write(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_bytes("﻿Patient;Vertebra;Class;Source;Age\np1;L1;normal;expert;67,5\n".encode())
    assert read_table(path).checked().vertebrae[0].age_years == 67.5


def test_a_folder_without_a_table_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no cohort\.tsv: write one .* or draft one with"):
        find_table(tmp_path)
    (tmp_path / "cohort.tsv").write_text(HEAD)
    (tmp_path / "cohort.csv").write_text(HEAD)
    with pytest.raises(UsageError, match="keep one"):
        find_table(tmp_path)


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cohort.tsv"
    path.write_bytes(b"patient\xff\xfe")
    with pytest.raises(InputRejected, match="no UTF-8 text"):
        read_table(path)

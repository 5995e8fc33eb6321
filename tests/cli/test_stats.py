"""`wirbel stats` from tables to pages: sentences, files, and one line for what it refuses."""

import json

import numpy as np
import pytest

from wirbel.cli.exit import guarded
from wirbel.cli.stats import app
from wirbel.evaluation.mrmc import ROE_METZ_1997, simulate_readings


def stats(*arguments: object) -> int:
    return guarded(lambda: app(args=[str(a) for a in arguments], prog_name="wirbel stats"))


@pytest.fixture(scope="module")
def readings_csv(tmp_path_factory):
    """A simulated study of three readers, two treatments and 24 cases."""
    study = simulate_readings(
        ROE_METZ_1997["HH 0.75"], readers=3, diseased=12, healthy=12, rng=np.random.default_rng(1)
    )
    lines = ["reader,treatment,case,truth,rating"]
    for t, r, c in np.argwhere(study.read):
        rating = study.ratings[t, r, c]
        lines.append(f"{study.readers[r]},{study.treatments[t]},{c},{int(study.truth[c])},{rating:.4f}")
    file = tmp_path_factory.mktemp("stats") / "readings.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture(scope="module")
def scores_csv(tmp_path_factory):
    rng = np.random.default_rng(2)
    truth = np.repeat([1, 0], 20)
    lines = ["truth,score,other,person,grade1,grade2,grade3,hole,same,perfect"]
    for i, t in enumerate(truth):
        a, b = rng.normal(1.2 * t), rng.normal(0.7 * t)
        grades = rng.integers(0, 3, 3)
        grades[1] = grades[0] if i % 2 else grades[1]
        hole = "nan" if i == 2 else i
        lines.append(f"{t},{a:.3f},{b:.3f},p{i // 2},{grades[0]},{grades[1]},{grades[2]},{hole},1,{t}")
    file = tmp_path_factory.mktemp("stats") / "scores.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_study_becomes_a_sentence_tables_figures_and_files(readings_csv, tmp_path, capsys):
    assert stats("mrmc", readings_csv, "-o", tmp_path / "out") == 0
    text = capsys.readouterr().out
    assert "Over 3 readers and 24 cases the mean AUC was" in text
    assert "Obuchowski-Rockette, jackknife covariances; random readers and random cases" in text
    assert text.rstrip().endswith("*Research use only.*")
    written = {f.name for f in (tmp_path / "out").iterdir()}
    assert written == {"result.md", "result.html", "result.json", "readers.svg", "differences.svg"}
    page = (tmp_path / "out" / "result.html").read_text()
    assert page.count("<svg") == 2 and "Research use only." in page
    assert "Research use only." in (tmp_path / "out" / "readers.svg").read_text()
    assert 'href="http' not in page and "src=" not in page
    numbers = json.loads((tmp_path / "out" / "result.json").read_text())
    assert numbers["design"] == "FACTORIAL"
    assert set(numbers["means"]) == {"treatment 1", "treatment 2"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--method", "dbm"], "Dorfman-Berbaum-Metz"),
        (["--method", "one-shot"], "one-shot U-statistics"),
        (["--random", "cases", "--covariance", "delong"], "these readers, random cases"),
        (["--figure", "specificity", "--threshold", "0.5"], "the mean specificity was"),
        (["--alone", "reader 3", "--under", "treatment 2"], "The AUC of reader 3 was"),
    ],
)
def test_the_other_analyses_are_an_option_away(readings_csv, arguments, sentence, capsys):
    assert stats("mrmc", readings_csv, *arguments) == 0
    assert sentence in capsys.readouterr().out


def test_readers_of_one_treatment_have_a_mean_and_no_comparison(readings_csv, tmp_path, capsys):
    one = tmp_path / "one.csv"
    lines = readings_csv.read_text().splitlines()
    one.write_text("\n".join([lines[0], *(line for line in lines if ",treatment 1," in line)]) + "\n")
    assert stats("mrmc", one) == 0
    text = capsys.readouterr().out
    assert "the mean AUC was" in text and "Differences" not in text


def test_auc_and_comparison_know_patients_and_thresholds(scores_csv, tmp_path, capsys):
    assert stats("auc", scores_csv, "--threshold", "0.5", "--patient", "person", "-o", tmp_path) == 0
    text = capsys.readouterr().out
    assert (
        "20 diseased and 20 other cases of 20 patients" in text and "At a threshold of 0.5 it called" in text
    )
    assert {"roc.svg", "risk-coverage.svg"} <= {f.name for f in tmp_path.iterdir()}
    assert (
        stats("compare", scores_csv, "--first", "score", "--second", "other", "--threshold", "0.5", "--json") == 0
    )
    numbers = json.loads(capsys.readouterr().out)
    assert set(numbers["differences"]) == {"AUC", "sensitivity", "specificity"}


@pytest.mark.parametrize(
    ("columns", "kind", "sentence"),
    [
        ("grade1,grade2", "categories", "agreed in"),
        ("grade1,grade2,grade3", "categories", "Fleiss' kappa"),
        ("grade1,grade2", "ordered", "weighted kappa"),
        ("score,other", "numbers", "limits of agreement"),
        ("grade1,grade2", "missing", "Krippendorff's alpha"),
    ],
)
def test_agreement_of_any_kind(scores_csv, columns, kind, sentence, capsys):
    assert stats("agree", scores_csv, "--columns", columns, "--kind", kind) == 0
    assert sentence in capsys.readouterr().out


def test_a_threshold_brings_every_figure_of_the_calls_with_patients_or_without(scores_csv, capsys):
    for patients in ([], ["--patient", "person"]):
        assert stats("auc", scores_csv, "--threshold", "0.5", "--json", *patients) == 0
        numbers = json.loads(capsys.readouterr().out)
        assert {"accuracy", "F1", "balanced accuracy", "negative likelihood ratio"} <= set(numbers)
        assert numbers["accuracy"]["low"] < numbers["accuracy"]["value"] < numbers["accuracy"]["high"]


@pytest.mark.parametrize("patients", [[], ["--patient", "person"]])
def test_perfect_scores_are_compared_by_permutation_instead_of_an_interval_without_width(
    scores_csv, patients, capsys
):
    both = ["--first", "perfect", "--second", "truth", "--threshold", "0.5"]
    assert stats("compare", scores_csv, *both, *patients) == 0
    assert stats("compare", scores_csv, "--first", "perfect", "--second", "same", *patients) == 0
    assert "(without an interval: nothing varies), statistically significant" in capsys.readouterr().out


def test_power_finds_the_fewest_cases(readings_csv, capsys):
    assert stats("power", readings_csv, "--effect", "0.15", "--readers", "12", "--target", "0.5", "--json") == 0
    chosen = json.loads(capsys.readouterr().out)["chosen"]
    assert chosen["power"] >= 0.5 and chosen["readers"] == 12


def test_the_seed_study_is_recomputed(tmp_path, capsys):
    assert stats("table", "--preset", "foreman2024", "-o", tmp_path) == 0
    text = capsys.readouterr().out
    assert "the bootstrap of cases (95 % percentiles) comes closest" in text
    assert "specificity of approach 1, external (20/30): printed 0.59-0.83" in text
    assert "Each of the 12 printed AUC equals (sensitivity + specificity) / 2" in text
    assert "leaves 20 cases undecided (13 malignant, 7 osteoporotic)" in text
    assert json.loads((tmp_path / "result.json").read_text())["closest"] == "bootstrap of cases"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["mrmc", "missing.csv"], 2, "there is no file 'missing.csv'"),
        (["mrmc", "READINGS", "--case", "study"], 2, "no column 'study'; its columns are reader, treatment"),
        (["mrmc", "READINGS", "--figure", "sensitivity"], 2, "needs --threshold"),
        (["mrmc", "READINGS", "--case", "truth"], 3, "is given a second time in row 2"),
        (["mrmc", "READINGS", "--alone", "AI"], 3, "unknown reader 'AI'"),
        (["mrmc", "READINGS", "--rating", "reader"], 3, "column 'reader', row 1: 'reader 1' is not a number"),
        (["auc", "SCORES", "--truth", "score"], 3, "column 'score' must hold 0 and 1, got"),
        (["auc", "SCORES", "--score", "hole"], 3, "column 'hole' must be finite, got nan at position 3 (1 in all)"),
        (["auc", "SCORES", "--truth", "same"], 3, "at least 1 healthy case(s) are needed, got 0 of 40 cases"),
        (["auc", "SCORES", "--score", "person"], 3, "'p0' is not a number"),
        (["agree", "SCORES", "--columns", "grade1"], 2, "at least two columns"),
        (["power", "READINGS", "--effect", "0", "--readers", "5"], 3, "other than 0"),
    ],
)
def test_a_refusal_is_one_sentence_with_its_exit_code(arguments, code, sentence, readings_csv, scores_csv, capsys):
    named = [{"READINGS": readings_csv, "SCORES": scores_csv}.get(a, a) for a in arguments]
    assert stats(*named) == code
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and sentence in err and "Traceback" not in err


def test_a_file_that_is_no_text_is_refused(tmp_path, capsys):
    file = tmp_path / "table.csv"
    file.write_bytes(b"\xff\xfe\x00reader")
    assert stats("auc", file) == 3
    assert "not UTF-8 text" in capsys.readouterr().err

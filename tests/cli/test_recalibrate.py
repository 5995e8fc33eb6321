"""`wirbel recalibrate` from a site's table to a calibration, or one line that says why not."""

import json

import numpy as np
import pytest
import typer

from wirbel.cli.exit import guarded
from wirbel.cli.recalibrate import recalibrate
from wirbel.etiology import Population, Tier, read_calibration, tier_of

app = typer.Typer()
app.command()(recalibrate)


def run(*arguments: object) -> int:
    return guarded(lambda: app(args=[str(a) for a in arguments], prog_name="wirbel recalibrate"))


def rows(malignant: int = 30, osteoporotic: int = 30, seed: int = 1) -> list[list[str]]:
    """A simulated site: two vertebrae a patient, two members of an ensemble."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(malignant + osteoporotic):
        word = "malignant_fracture" if i < malignant else "osteoporotic_fracture"
        for level in ("T12", "L1"):
            x = rng.normal(3.0 if i < malignant else -3.0, 1.5) + rng.normal(0, 0.2, 2)
            made.append([f"p{i}", level, word, f"{x[0]:.4f}", f"{x[1]:.4f}"])
    return made


def written(folder, lines, header="patient,vertebra,class,score1,score2"):
    file = folder / "scores.csv"
    file.write_text("\n".join([header, *(",".join(line) for line in lines)]) + "\n")
    return file


def test_a_site_gets_a_calibration_and_a_page_that_says_what_it_rests_on(tmp_path, capsys):
    out = tmp_path / "site.json"
    assert run(written(tmp_path, rows()), "-o", out, "--scorer", "abc", "--simulated") == 0
    text = capsys.readouterr().out
    assert "Fitted to 120 simulated vertebrae: 30 patients with malignant ones, 30 with osteoporotic ones." in text
    assert "22 patients would do if none erred" in text
    assert "exchangeable" in text and "*All figures on this page are simulated.*" in text
    assert text.rstrip().endswith("*Research use only.*")
    calibration = read_calibration(out.read_text())
    assert (calibration.scorer, calibration.members) == ("abc", 2)
    assert calibration.cohort.simulated and calibration.population is Population.FRACTURED
    assert tier_of(-9.0, calibration.tiers) is Tier.OSTEOPOROTIC
    assert list(tmp_path.glob(".*")) == []


def test_numbers_for_machines_hold_what_is_needed(tmp_path, capsys):
    out = tmp_path / "site.json"
    assert run(written(tmp_path, rows()), "-o", out, "--scorer", "abc", "--json", "--confidence", "both") == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["needed"] == {"malignant": 29, "other": 29}
    assert numbers["patients"] == {"malignant": 30, "other": 30}
    assert numbers["sha256"] == json.loads(out.read_text())["sha256"]


def test_probabilities_are_taken_too(tmp_path, capsys):
    lines = [[*row[:3], *(f"{1 / (1 + np.exp(-float(x))):.9f}" for x in row[3:])] for row in rows()]
    out, other = tmp_path / "p.json", tmp_path / "x.json"
    assert run(written(tmp_path, lines), "-o", out, "--scorer", "abc", "--scale", "probability") == 0
    assert run(written(tmp_path, rows()), "-o", other, "--scorer", "abc") == 0
    capsys.readouterr()
    a, b = (read_calibration(f.read_text()) for f in (out, other))
    assert a.tiers.malignant_from == pytest.approx(b.tiers.malignant_from, abs=1e-3)


def test_other_splits_unclear_and_foreign_classes_are_left_out_and_counted(tmp_path, capsys):
    lines = [[*row, "calibration"] for row in rows()]
    lines += [[f"t{i}", "L1", "malignant_fracture", "9", "9", "test"] for i in range(5)]
    lines += [["u1", "L1", "unclear", "", "", "calibration"], ["n1", "L1", "normal", "0", "0", "calibration"]]
    file = written(tmp_path, lines, "patient,vertebra,class,score1,score2,split")
    assert run(file, "-o", tmp_path / "o.json", "--scorer", "abc", "--json") == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == {
        "split test": 5, "class unclear": 1, "class normal: not fractured": 1,
    }  # fmt: skip


def test_unfractured_vertebrae_have_a_calibration_of_their_own(tmp_path, capsys):
    words = {"malignant_fracture": "malignant_lesion", "osteoporotic_fracture": "normal"}
    file = written(tmp_path, [[*row[:2], words[row[2]], *row[3:]] for row in rows()])
    assert run(file, "-o", tmp_path / "o.json", "--scorer", "abc", "--unfractured") == 3
    assert "45" in capsys.readouterr().err, "of sound ones no more than 0.05 may be called suspicious"
    relaxed = ("--unfractured", "--false-alarm", "0.1")
    assert run(file, "-o", tmp_path / "o.json", "--scorer", "abc", *relaxed) == 0
    text = capsys.readouterr().out
    assert "suspicious from" in text and "osteoporotic" not in text and "malignant from" not in text
    assert read_calibration((tmp_path / "o.json").read_text()).population is Population.UNFRACTURED


def test_features_make_it_notice_what_is_unlike(tmp_path, capsys):
    rng = np.random.default_rng(3)
    lines = [[*row, *(f"{x:.3f}" for x in rng.normal(size=2))] for row in rows()]
    file = written(tmp_path, lines, "patient,vertebra,class,score1,score2,cortex,mass")
    assert run(file, "-o", tmp_path / "o.json", "--scorer", "abc", "--features", "cortex, mass") == 0
    novelty = read_calibration((tmp_path / "o.json").read_text()).novelty
    assert novelty.is_unlike((9.0, -9.0)) and not novelty.is_unlike((0.1, 0.1))


def test_the_order_of_rows_changes_nothing_but_nothing_else_is_the_same_cohort(tmp_path, capsys):
    digests = []
    for lines in (rows(), rows()[::-1], rows(seed=2)):
        assert run(written(tmp_path, lines), "-o", tmp_path / "o.json", "--scorer", "abc") == 0
        digests.append(read_calibration((tmp_path / "o.json").read_text()).cohort.sha256)
    assert digests[0] == digests[1] != digests[2]


def changed(place: int, column: int, value: str):
    def change(lines):
        lines[place] = [*lines[place][:column], value, *lines[place][column + 1 :]]
        return lines

    return change


@pytest.mark.parametrize(
    ("change", "options", "code", "sentence"),
    [
        (lambda x: x[:42] + x[60:], (), 3, "21 with malignant vertebrae and 30 with osteoporotic ones; errors"),
        (lambda x: x, ("--missed", "0.05", "--delta", "0.05"), 3, "need 59 and 29"),
        (lambda x: x[:60], (), 3, "all 60 vertebrae are malignant: calibration needs both classes"),
        (lambda x: x[:6], (), 3, "all 6 vertebrae are malignant"),
        (lambda x: x[57:63], (), 3, "too few patients: 2 with malignant vertebrae and 2 with"),
        (changed(3, 3, "nan"), (), 3, "line 5: 'nan' in column 'score1' is not finite"),
        (changed(3, 4, "high"), (), 3, "line 5: 'high' in column 'score2' is not a number"),
        (changed(3, 2, "benign"), (), 3, "line 5: class 'benign' is none of"),
        (changed(3, 1, "T12"), (), 3, "line 5: the same vertebra of the same patient stands in line 4, with"),
        (changed(3, 0, ""), (), 3, "line 5: patient or vertebra is empty"),
        (lambda x: x, ("--scale", "probability"), 3, "is no probability: say --scale log-odds"),
        (lambda x: x, ("--scale", "percent"), 2, "--scale must be one of"),
        (lambda x: x, ("--scores", "score9"), 2, "no column 'score9'"),
        (lambda x: x, ("--missed", "5"), 2, "alpha_missed must lie between 0 and 1"),
        (lambda x: [[*r[:3], *(f"{-float(s)}" for s in r[3:])] for r in x], (), 3, "do not rise with malignancy"),
        (lambda x: [], (), 3, "the table is empty"),
    ],
)
def test_a_table_that_cannot_calibrate_is_refused_in_one_line(change, options, code, sentence, tmp_path, capsys):
    out = tmp_path / "site.json"
    assert run(written(tmp_path, change(rows())), "-o", out, "--scorer", "abc", *options) == code
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1 and "Traceback" not in err
    assert not out.exists()


def test_a_patient_in_two_splits_is_refused(tmp_path, capsys):
    lines = [[*row, "calibration"] for row in rows()]
    lines[1][-1] = "test"
    file = written(tmp_path, lines, "patient,vertebra,class,score1,score2,split")
    assert run(file, "-o", tmp_path / "o.json", "--scorer", "abc") == 3
    assert "line 3: its patient is in split 'test' here and in 'calibration' in line 2" in capsys.readouterr().err


def test_the_ensemble_must_be_named_and_be_one(tmp_path, capsys):
    assert run(written(tmp_path, rows()), "-o", tmp_path / "o.json") == 2
    assert "a calibration belongs to one ensemble" in capsys.readouterr().err.lower()
    lines = [[*row, "abc" if i else "xyz"] for i, row in enumerate(rows())]
    file = written(tmp_path, lines, "patient,vertebra,class,score1,score2,scorer")
    assert run(file, "-o", tmp_path / "o.json") == 3
    assert "come from 2 ensembles" in capsys.readouterr().err
    lines = [[*row[:-1], "abc"] for row in lines]
    file = written(tmp_path, lines, "patient,vertebra,class,score1,score2,scorer")
    assert run(file, "-o", tmp_path / "o.json", "--scores", "score1") == 0
    assert read_calibration((tmp_path / "o.json").read_text()).scorer == "abc"


def test_a_missing_file_or_folder_is_wrong_usage(tmp_path, capsys):
    assert run(tmp_path / "none.csv", "-o", tmp_path / "o.json", "--scorer", "abc") == 2
    assert run(written(tmp_path, rows()), "-o", tmp_path / "no" / "o.json", "--scorer", "abc") == 2
    assert "there is no folder 'no'" in capsys.readouterr().err

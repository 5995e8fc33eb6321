"""The evaluation of a cohort's scores: figures that can be checked by hand, the word SIMULATED, and bad input."""

import csv
import html
import importlib.util
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wirbel.cohort.appraisal import (
    AppraisalSettings,
    Document,
    Rule,
    Share,
    appraise,
    model_of,
    open_crops,
    primary_of,
    read_cases,
    read_scores,
    read_signs,
    scored_by_all,
    write_report,
)
from wirbel.cohort.appraisal.pages import as_html, as_markdown, figures_csv
from wirbel.cohort.appraisal.sheet import Sheet
from wirbel.cohort.appraisal.sign_table import sign_scores, training_arm
from wirbel.cohort.appraisal.subgroups import age_band, region_of
from wirbel.cohort.crops import read_crops
from wirbel.errors import InputRejected, UsageError
from wirbel.evaluation import Estimate, auc, compare_paired_auc

_spec = importlib.util.spec_from_file_location("scored_folder", Path(__file__).with_name("scored_folder.py"))
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)
BLOCKS, LESION, MAL, OST, made_folder = made.BLOCKS, made.LESION, made.MAL, made.OST, made.made_folder
SETTINGS = AppraisalSettings(replicates=100)
SOUND_TOO = ("train", "train_sound")


def report_of(folder: made.ScoredFolder, files: dict[str, object], *, signs: bool = False) -> Document:
    crops = read_crops(folder.path)
    cohort = read_cases(folder.path, crops)
    models = [model_of(read_scores(n, f, cohort), (), cohort, SETTINGS) for n, f in files.items()]
    table = read_signs(folder.signs(), len(crops.rows)) if signs else None
    return appraise(crops, cohort, models, primary_of(cohort, models, "", "", ""), table, SETTINGS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> made.ScoredFolder:
    return made_folder(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def report(folder) -> Document:
    files = {
        "a1": folder.scores("a1", 1.0, seed=1), "a2": folder.scores("a2", 1.5, seed=2),
        "b2": folder.scores("b2", 3.0, seed=3, learnt=SOUND_TOO),
    }  # fmt: skip
    return report_of(folder, files, signs=True)


def sheet(document: Document, name: str) -> Sheet:
    return next(s for s in document.sheets if s.name == name)


def lines(document: Document, name: str, *keys: str) -> list[dict[str, object]]:
    found = sheet(document, name)
    return [dict(zip(found.header, row, strict=True)) for row in found.rows if set(keys) <= set(row[: found.keys])]


def test_table_4_has_both_areas_and_the_study_s_counts(folder, report):
    cohort = read_cases(folder.path, read_crops(folder.path))
    scores = read_scores("b2", folder.path.parent / "b2.tsv", cohort)
    arm = next(a for a in cohort.fracture_arms if a.name == "study_test")
    values = scores.log_odds_of(arm)
    (line,) = lines(report, "table4", "study_test", "b2")
    assert line["malignant / osteoporotic"] == "49 / 37"
    assert line["AUC of the probabilities"] == auc(arm.malignant, values)
    called = values >= 0
    sensitivity, specificity = called[arm.malignant].mean(), (~called[~arm.malignant]).mean()
    point = line["(sensitivity + specificity) / 2 of the operating point"]
    assert isinstance(point, Estimate) and point.value == pytest.approx((sensitivity + specificity) / 2)
    assert point.value < line["AUC of the probabilities"].value
    assert line["sensitivity"].hits == int(called[arm.malignant].sum()) and line["sensitivity"].of == 49
    assert line["accuracy"].hits == int((called == arm.malignant).sum())


def test_the_study_s_printed_lines_stand_beside_and_say_that_they_are_real(report):
    names = {row[0] for row in sheet(report, "table4_printed").rows}
    assert names == {"study, internal", "study, external"}
    assert "real patients" in sheet(report, "table4_printed").title
    (line,) = lines(report, "table4_printed", "study, external", "approach 2")
    assert line["accuracy"] == "49/65 0.75 (0.65 to 0.85)"


def test_the_primary_estimand_is_one_difference_named_on_top(folder, report):
    cohort = read_cases(folder.path, read_crops(folder.path))
    arm = next(a for a in cohort.fracture_arms if a.name == "large_external")
    ours, theirs = (
        read_scores(n, folder.path.parent / f"{n}.tsv", cohort).log_odds_of(arm) for n in ("b2", "a2")
    )
    difference = compare_paired_auc(arm.malignant, ours, theirs).difference
    asked = "SIMULATED. Primary estimand: the difference in the AUC of the probabilities, b2 minus a2"
    assert report.lead[0].startswith(asked)
    assert f"{difference.value:.3f} ({difference.low:.3f} to {difference.high:.3f})" in report.lead[1]
    assert sum("rimary estimand:" in line for line in report.lead) == 1


def test_coverage_stands_beside_every_figure_of_three_answers(report):
    for name in ("tiers", "tiers_counted", "table5"):
        assert "coverage" in sheet(report, name).header
    for line in lines(report, "tiers", "large_external"):
        assert line["coverage"].of == 410
        assert line["accuracy"].of == line["coverage"].hits
    for decided, counted in zip(sheet(report, "tiers").rows, sheet(report, "tiers_counted").rows, strict=True):
        assert decided[:4] == counted[:4]


def test_counting_the_undecided_changes_the_denominator_and_not_the_hits(report):
    (decided,) = lines(report, "tiers", "large_external", "b2", Rule.CERTIFIED.value)
    (counted,) = lines(report, "tiers_counted", "large_external", "b2", Rule.CERTIFIED.value)
    assert counted["accuracy, undecided wrong"].of == 410
    assert counted["accuracy, undecided wrong"].hits == decided["accuracy"].hits
    undecided = 200 - decided["coverage of malignant"].hits
    assert counted["sensitivity, undecided sent to MRI"].hits == decided["sensitivity"].hits + undecided


def test_the_authors_rule_uses_their_two_thresholds(folder):
    cohort = read_cases(folder.path, read_crops(folder.path))
    model = model_of(read_scores("a1", folder.scores("a1", 1.0), cohort), (), cohort, SETTINGS)
    arm = cohort.fracture_arms[0]
    answers = model.answers(arm, Rule.AUTHORS, SETTINGS)
    p = model.raw(arm)
    assert np.array_equal(answers.malignant, p >= 0.85)
    assert np.array_equal(answers.osteoporotic, 1 - p >= 0.95)


def test_promises_are_counted_by_patient_and_none_is_made_for_another_hospital(report):
    (line,) = lines(report, "promises", "large_external", "b2", Rule.CERTIFIED.value)
    assert line["missed: promised at most"] == "0.1 at δ 0.1"
    assert line["missed: patients"].of == 200 and line["false alarm: patients"].of == 210
    assert line["kept"].endswith("(another hospital: no promise)")
    (own,) = lines(report, "promises", "study_test", "b2", Rule.CERTIFIED.value)
    assert "no promise" not in own["kept"]
    (authors,) = lines(report, "promises", "study_test", "b2", Rule.AUTHORS.value)
    assert authors["missed: promised at most"] == "nothing promised"


def test_only_a_model_that_learnt_from_sound_vertebrae_may_say_suspicious(report):
    (ours,) = lines(report, "unfractured", "b2", "normal")
    (theirs,) = lines(report, "unfractured", "a2", "normal")
    assert isinstance(ours["suspicious (certified)"], Share) and ours["suspicious (certified)"].of == 20
    assert theirs["suspicious (certified)"] == "may not speak"
    assert isinstance(theirs["forced: raw softmax ≥ 0.5"], Share)
    assert [row[1] for row in sheet(report, "unfractured").rows if row[0] == "b2"] == [
        "normal", "mimic", "… haemangioma", "malignant lesion",
    ]  # fmt: skip
    assert any("a2 did not learn from sound vertebrae" in s for s in section(report, "Approach 3").sentences)


def section(document: Document, start: str):
    return next(s for s in document.sections if s.title.startswith(start))


def test_discitis_is_counted_as_it_ends(report):
    for line in lines(report, "discitis"):
        total = line["uncertain or refused"].hits + line["called osteoporotic"].hits + line["called malignant"].hits
        assert total == 12
        assert line["of these refused as unlike"] == "not measured"
        assert (line["all end uncertain or refused"] == "yes") == (line["uncertain or refused"].hits == 12)


def test_small_subgroups_show_counts_only(tmp_path):
    kept = ("study_test", "calibration")
    blocks = tuple((a, s, k, 12 if a == "study_test" else n) for a, s, k, n in BLOCKS if a in kept)
    folder = made_folder(tmp_path, blocks=blocks)
    document = report_of(folder, {"b2": folder.scores("b2", 2.0)})
    by_age = lines(document, "subgroups", "age, years")
    assert by_age and all(line["AUC of the probabilities"] == "–" for line in by_age)
    assert sum(int(str(line["malignant / osteoporotic"]).split(" / ")[0]) for line in by_age) == 12


def test_subgroups_add_up_to_the_arm(report):
    for by in ("age, years", "sex", "region", "contrast", "scanner"):
        counts = [str(x["malignant / osteoporotic"]).split(" / ") for x in lines(report, "subgroups", "b2", by)]
        assert (sum(int(m) for m, _ in counts), sum(int(o) for _, o in counts)) == (200, 210)


def test_groups_have_plain_names():
    assert [age_band(x, (60, 70, 80)) for x in (None, 59.9, 60.0, 79.9, 91.0)] == [
        "not known", "under 60", "60 to 69", "70 to 79", "80 and older",
    ]  # fmt: skip
    assert region_of("T9") == "thoracic T1 to T9"
    assert region_of("T12") == region_of("L2") == "thoracolumbar T10 to L2"
    assert region_of("L5") == "lumbar L3 and below"


def test_pairs_are_corrected_for_their_number(report):
    rows = lines(report, "comparisons")
    assert [(r["first"], r["second"]) for r in rows] == [("a1", "a2"), ("a1", "b2"), ("a2", "b2")]
    for row in sheet(report, "comparisons").rows:
        for p, corrected in ((row[4], row[5]), (row[7], row[8]), (row[10], row[11])):
            assert float(str(corrected).lstrip("< ")) >= float(str(p).lstrip("< "))


def test_no_malignant_case_missed_still_allows_three_in_n():
    share = Share(0, 60, Estimate(0.0, 0.0, 0.06, 0.95, 60, "Wilson"))
    assert str(share) == "0/60 0.000 (0.000 to 0.060); 3/n: ≤ 0.050"
    assert "3/n" not in str(Share(1, 60, Estimate(1 / 60, 0.0, 0.09, 0.95, 60, "Wilson")))


def test_mri_saved_follows_the_stated_prevalences(report):
    rows = lines(report, "mri", "large_external", Rule.CERTIFIED.value)
    assert [r["malignant among fractures"] for r in rows] == [f"{p:g} %" for p in (5, 10, 20, 30, 40, 50, 60)]
    saved = [r["MRI saved of 1,000"].value for r in rows]
    assert saved == sorted(saved, reverse=True)


def test_signs_point_the_way_they_did_in_training_and_words_are_no_signs(report):
    rows = {r["sign"]: r for r in lines(report, "signs", "large_external")}
    assert set(rows) == {"lytic_fraction", "trabecular_density_hu", "noise_mm", "all signs, logistic"}
    assert rows["lytic_fraction"]["direction or fit"] == "higher is malignant"
    assert rows["trabecular_density_hu"]["direction or fit"] == "lower is malignant"
    assert rows["trabecular_density_hu"]["AUC"].value > 0.55
    assert rows["noise_mm"]["measured"] != "410 of 410"
    assert rows["all signs, logistic"]["AUC"].value > rows["noise_mm"]["AUC"].value


def test_without_a_training_arm_signs_are_cross_validated_by_patient(tmp_path):
    folder = made_folder(tmp_path, vertebrae_a_patient=2, blocks=(("t", "test", OST, 60), ("t", "test", MAL, 60)))
    cohort = read_cases(folder.path, read_crops(folder.path))
    signs = read_signs(folder.signs(), 120)
    assert training_arm(signs, cohort) is None
    arm = cohort.fracture_arms[0]
    values, how = sign_scores(signs, arm, None)
    assert "5-fold" in how and auc(arm.malignant, values).value > 0.6


def test_the_word_simulated_is_at_every_table_and_figure(report):
    page, text, table = as_html(report), as_markdown(report), figures_csv(report)
    for shown in report.sheets:
        word = "PRINTED IN THE STUDY" if shown.printed else "SIMULATED"
        assert f"### {word}: {shown.title}" in text
        mark = "printed" if shown.printed else "simulated"
        assert f'<h3><span class="{mark}">{word}</span> {html.escape(shown.title)}' in page
    assert page.count("<figcaption>") == page.count('<figcaption><span class="simulated">SIMULATED</span>')
    for picture in report.pictures:
        if picture.is_svg:
            assert b"SIMULATED. Research use only." in picture.data
    rows = list(csv.reader(io.StringIO(table)))
    printed = {s.name for s in report.sheets if s.printed}
    assert printed == {"table3_printed", "table4_printed", "table5_printed"}
    assert all(row[0] == "SIMULATED" for row in rows[1:] if row[1] not in printed)
    assert "Research use only" in page and "Research use only" in text


def test_real_cases_are_not_called_simulated(tmp_path):
    folder = made_folder(tmp_path, simulated=False, blocks=BLOCKS[4:8])
    document = report_of(folder, {"b2": folder.scores("b2", 2.0)})
    assert "SIMULATED" not in as_html(document) and "SIMULATED" not in as_markdown(document)
    rows = list(csv.reader(io.StringIO(figures_csv(document))))[1:]
    assert {row[0] for row in rows} == {"real"}  # the study's printed lines are words, no figures
    assert "targets" not in {s.name for s in document.sheets}


def test_digests_stand_in_the_foot(report):
    foot = dict(report.foot)
    assert foot["crops: settings_sha256"] == "feed" * 16 and foot["crops: code_sha256"] == "c0de" * 16
    assert len(foot["b2: scores sha256"]) == 64 and "fitted here" in foot["b2: calibration, fractured"]


def test_patients_with_several_vertebrae_widen_the_intervals(tmp_path):
    blocks = (("t", "test", OST, 120), ("t", "test", MAL, 120))
    folder = made_folder(tmp_path, vertebrae_a_patient=4, blocks=blocks)
    file = folder.scores("b2", 2.0)
    rows = [line.split("\t") for line in file.read_text().splitlines()]
    for k in range(1, len(rows), 4):  # the four vertebrae of a patient say the same
        for j in range(k + 1, k + 4):
            rows[j][2:] = rows[k][2:]
    file.write_text("\n".join("\t".join(r) for r in rows) + "\n")
    (line,) = lines(report_of(folder, {"b2": file}), "table4", "t")
    cohort = read_cases(folder.path, read_crops(folder.path))
    arm = cohort.fracture_arms[0]
    alone = auc(arm.malignant, read_scores("b2", file, cohort).log_odds_of(arm))
    together = line["AUC of the probabilities"]
    assert together.value == alone.value and together.n == 60
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_the_folder_is_whole_and_replaces_only_a_report(report, tmp_path):
    out = tmp_path / "out"
    write_report(report, out)
    assert {p.name for p in out.iterdir()} == {"fracture.html", "fracture.md", "figures.csv", "tables", "figures"}
    assert (out / "figures" / "gallery_right.png").read_bytes().startswith(b"\x89PNG")
    write_report(replace(report, title="again"), out)
    assert "again" in (out / "fracture.md").read_text()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="not empty and holds no report"):
        write_report(report, mine)
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.replace("study_test", "large_external", 1), "is said to be of 'large_external'"),
        (lambda t: t + t.splitlines()[-1] + "\n", "scored a second time"),
        (lambda t: "\n".join(t.splitlines()[:-1]) + "\n", "scored 11 of 12 crops of 'discitis'"),
        (lambda t: t.replace("row\tset", "line\tset"), "is no table of scores"),
        (lambda t: t.rsplit("\t", 1)[0] + "\tnan\n", "not a finite number"),
        (lambda t: t + "9999\ttest\t0\t0\n", "has no clear crop 9999"),
        (lambda t: t + "5\ttest\n", "cut short"),
    ],
)
def test_scores_that_do_not_fit_are_refused_in_one_sentence(folder, tmp_path, change, sentence):
    cohort = read_cases(folder.path, read_crops(folder.path))
    bad = tmp_path / "bad.tsv"
    bad.write_text(change(folder.scores("good", 1.0, seed=8).read_text()))
    with pytest.raises(InputRejected, match=sentence):
        read_scores("bad", bad, cohort)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"class": "benign"}, "class 'benign'"),
        ({"patient": "study_test-malignant_fracture-0", "split": "external"}, "a patient belongs to one split"),
        ({"age": "old"}, "age 'old'"),
    ],
)
def test_an_index_that_contradicts_itself_is_refused(tmp_path, change, sentence):
    folder = made_folder(tmp_path, blocks=BLOCKS[4:6])
    folder.rows[0].update(change)
    folder.write_index()
    with pytest.raises(InputRejected, match=sentence):
        read_cases(folder.path, read_crops(folder.path))


def test_one_class_only_is_refused(tmp_path):
    folder = made_folder(tmp_path, blocks=(("t", "test", MAL, 30), ("u", "test", LESION, 30)))
    with pytest.raises(InputRejected, match="both classes are needed"):
        read_cases(folder.path, read_crops(folder.path))


def test_three_patients_give_a_report_without_calibration_and_say_why(tmp_path):
    folder = made_folder(tmp_path, blocks=(("t", "test", MAL, 2), ("t", "test", OST, 1)))
    document = report_of(folder, {"b2": folder.scores("b2", 2.0)})
    assert any("no calibration arm was scored" in s for s in section(document, "Approach 3").sentences)
    assert lines(document, "tiers", Rule.CERTIFIED.value) == []


def test_what_is_there_of_a_cohort_that_is_still_being_drawn_can_be_judged(tmp_path):
    folder = made_folder(tmp_path, blocks=BLOCKS[4:8])
    none = dict.fromkeys(("lesions", "normal", "mimics", "discitis"), 0)
    arms = [
        {"name": "study_test", "osteoporotic": 37, "malignant": 60, **none},
        {"name": "calibration", "osteoporotic": 60, "malignant": 60, **none},
    ]
    told = {"simulated": True, "crops": len(folder.rows) + 11,
            "settings": {"arms": arms, "voxels": made.EDGE, "spacing_mm": 1.0}}  # fmt: skip
    (folder.path / "cohort.json").write_text(json.dumps(told))
    (folder.path / "crops.json").unlink()
    scores = folder.scores("b2", 2.0)
    text = scores.read_text().splitlines()
    scores.write_text("\n".join(text[:81] + text[87:]) + "\n")  # six crops were drawn after the scoring
    lines = [json.dumps({"rows": [[row, {"row": str(i)}]]}) for i, row in enumerate(folder.rows)]
    (folder.path / "progress.jsonl").write_text("\n".join(lines) + "\n" + '{"rows": [[{"cut')
    cohort = read_cases(folder.path, open_crops(folder.path))
    assert cohort.simulated and cohort.left_out == 11 and dict(cohort.unfinished) == {"study_test": 97}
    cut = scored_by_all(cohort, [read_scores("b2", scores, cohort)])
    assert [len(a.cases) for a in cut.fracture_arms] == [80]
    assert len(cut.arm("calibration").cases) == 120
    (folder.path / "progress.jsonl").write_text("{}\n")
    with pytest.raises(InputRejected, match="was begun and is damaged"):
        open_crops(folder.path)

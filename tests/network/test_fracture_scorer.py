"""The scorer of the main job: vertebrae out of a CT, its calibrations, and what is damaged."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.network.tiny_bundle import tiny_bundle

from wirbel.errors import ModelError
from wirbel.etiology import EtiologyScorer, LabelledScores, Population, calibrate, written_calibration
from wirbel.etiology.sign_join import LEVEL_RANK, SignJoin
from wirbel.etiology.tree_model import Node, TreeModel
from wirbel.finding import ContrastPhase, DensityReading, Finding, Findings, Verdict
from wirbel.network.bundle import load_bundle
from wirbel.network.fracture_scorer import (
    FractureScorer,
    complete,
    crop_bits,
    crop_of,
    open_scorer,
    scores_of_all,
    stored_hu,
)
from wirbel.spine import Level, Numbering, NumberingStatus, Part, Spine, Vertebra
from wirbel.vertebra import NotMeasured, Reason, VertebraMeasures
from wirbel.volume import Grid, LabelMap, Volume

GRID = Grid.axis_aligned((40, 24, 24), (4.0, 4.0, 4.0), (-46.0, -46.0, 0.0))
GAP = NotMeasured(Reason.TOO_COARSE)
LEVELS = (Level.C7, Level.T1, Level.L5, Level.L1)
FINDINGS = Findings((), GAP, DensityReading(None, None, GAP, ContrastPhase.UNKNOWN), ())


def column(ct_seed: int = 1) -> tuple[Volume, Spine]:
    """Four vertebrae one below the other, a sacrum beneath; the last one is cut."""
    instances, parts = np.zeros(GRID.shape, np.uint8), np.zeros(GRID.shape, np.uint8)
    vertebrae = []
    for i, level in enumerate(LEVELS):
        low = 32 - 8 * i
        instances[low : low + 6, 9:15, 9:15] = i + 1
        parts[low : low + 6, 9:15, 9:15] = Part.BODY
        centre = GRID.to_lps_mm(np.array([[low + 2.5, 11.5, 11.5]]))[0]
        vertebrae.append(Vertebra(i + 1, level, None, centre, i == 3))
    parts[0:4, 9:15, 9:15] = Part.SACRUM
    hu = np.random.default_rng(ct_seed).integers(-100, 500, GRID.shape).astype(np.int16)
    numbering = Numbering(NumberingStatus.NAMED, None, None, None)
    return Volume(GRID, hu), Spine(
        tuple(vertebrae), LabelMap(GRID, instances), LabelMap(GRID, parts), numbering, "drawn"
    )


def measures(spine: Spine) -> list[VertebraMeasures]:
    return [VertebraMeasures(v.label, GAP, GAP, GAP, GAP, GAP) for v in spine.vertebrae]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def scorer(folder: Path) -> FractureScorer:
    return open_scorer(folder, threads=1)


def fitted_text(folder: Path, population: Population = Population.FRACTURED, **changes: object) -> str:
    rng = np.random.default_rng(4)
    malignant = np.repeat([True, False], 30)
    scores = LabelledScores(
        tuple(f"p{i}" for i in range(60)), ("L1",) * 60, malignant,
        np.where(malignant, 2.0, -2.0)[:, None] + rng.normal(0, 1, (60, 2)), np.empty((60, 0)),
    )  # fmt: skip
    fitted = calibrate(
        scores, scorer=load_bundle(folder).sha256, name="drawn", simulated=True, rng=rng, population=population
    )
    return written_calibration(replace(fitted, **changes))


def test_the_scorer_says_who_it_is(scorer: FractureScorer, folder: Path) -> None:
    assert isinstance(scorer, EtiologyScorer)
    who = scorer.identity
    assert (who.name, who.version, who.members) == ("fracture b2", "0.0.1", 2)
    assert who.simulated
    assert who.trained_with_normals
    assert who.digest == load_bundle(folder).sha256
    assert scorer.calibrations.fractured is None


def test_vertebrae_are_scored_as_their_crops_are(scorer: FractureScorer) -> None:
    ct, spine = column()
    first, second = scorer(ct, spine, measures(spine), FINDINGS, [2, 3])
    assert (first.label, second.label) == (2, 3)
    crop = crop_of(ct, spine, spine.vertebrae[1], scorer.about.crop)
    direct = scorer.networks().score(stored_hu(crop)[None], crop_bits(crop, spine)[None])
    np.testing.assert_array_equal(first.members, direct.log_odds[0])
    np.testing.assert_array_equal(first.features, direct.features[0])
    assert first.heat is not None
    assert first.heat.grid.same_as(crop.grid)
    centre = first.heat.grid.to_lps_mm(np.array([[7.5, 7.5, 7.5]]))[0]
    np.testing.assert_allclose(centre, spine.vertebrae[1].centre_lps_mm, atol=1e-6)


def test_the_sacrum_counts_among_the_other_vertebrae(scorer: FractureScorer) -> None:
    ct, spine = column()
    crop = crop_of(ct, spine, spine.vertebrae[3], scorer.about.crop)
    without = crop_bits(crop, replace(spine, parts=spine.instances))
    added = crop_bits(crop, spine).astype(int) - without
    assert set(np.unique(added)) == {0, 2}
    assert added[:4, 5:11, 5:11].any()


def test_signs_weigh_in_where_there_is_a_fracture_and_nowhere_else(scorer: FractureScorer) -> None:
    ct, spine = column()
    tree = (Node(LEVEL_RANK, 15.0, left=1, right=2), Node(None, value=0.0), Node(None, value=3.0))
    join = SignJoin((TreeModel((tree,), 0.0, "drawings"),), bias=0.5, network=2.0, signs=1.0, crop_voxels=20)
    with_signs = replace(scorer, join=join)
    finding = Finding(3, Verdict.FRACTURE, GAP, None, GAP, (), {})
    plain = scorer(ct, spine, measures(spine), FINDINGS, [2, 3])
    second, third = with_signs(ct, spine, measures(spine), replace(FINDINGS, vertebrae=(finding,)), [2, 3])
    assert second.members == plain[0].members
    assert third.members == pytest.approx([0.5 + 2.0 * m + 3.0 for m in plain[1].members])
    assert third.features == plain[1].features


def test_what_cannot_be_cut_out_is_left_out(scorer: FractureScorer) -> None:
    ct, spine = column()
    away = replace(spine.vertebrae[1], centre_lps_mm=np.array([0.0, 0.0, 900.0]))
    moved = replace(spine, vertebrae=(spine.vertebrae[0], away, *spine.vertebrae[2:]))
    assert [raw.label for raw in scorer(ct, moved, measures(spine), FINDINGS, [2, 3])] == [3]


def test_every_complete_body_can_be_scored_whatever_was_found(scorer: FractureScorer) -> None:
    ct, spine = column()
    assert [v.level for v in complete(spine, measures(spine))] == [Level.T1, Level.L5]
    assert [raw.label for raw in scores_of_all(scorer, ct, spine, measures(spine), FINDINGS)] == [2, 3]


def test_calibrations_beside_the_networks_are_read(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path)
    (folder / "calibration_fractured.json").write_text(fitted_text(folder))
    (folder / "calibration_unfractured.json").write_text(fitted_text(folder, Population.UNFRACTURED))
    given = open_scorer(folder).calibrations
    assert given.fractured is not None
    assert given.unfractured is not None
    assert given.fractured.cohort.simulated


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (lambda folder: "{", r"calibration_fractured\.json of bundle 'fracture'"),
        (lambda folder: fitted_text(folder).replace('"simulated": true', '"simulated": false', 1), "its digest"),
        (lambda folder: fitted_text(folder, scorer="0" * 64), "another ensemble"),
        (lambda folder: fitted_text(folder, members=3), "another ensemble"),
        (lambda folder: fitted_text(folder, Population.UNFRACTURED), "for unfractured vertebrae"),
    ],
)
def test_a_calibration_that_is_damaged_or_anothers_is_refused(tmp_path: Path, text, said: str) -> None:
    folder = tiny_bundle(tmp_path)
    (folder / "calibration_fractured.json").write_text(text(folder))
    with pytest.raises(ModelError, match=said):
        open_scorer(folder)


def test_a_changed_head_breaks_the_digest(tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path)
    about = json.loads((folder / "scorer.json").read_text())
    about["heads"][0]["bias"] += 1.0
    (folder / "scorer.json").write_text(json.dumps(about))
    with pytest.raises(ModelError, match=r"scorer\.json .* does not match its hash"):
        open_scorer(folder)

"""Radiomics and boosted trees: the IBSI's digital phantom, a table that goes on, honest folds."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("flash_radiomics")

from tests.training.drawn_crops import a_row, crops_in
from typer.testing import CliRunner

from wirbel.cli.main import app
from wirbel.errors import InputRejected, UsageError
from wirbel.training.fracture.crop_rows import open_crops
from wirbel.training.radiomics.features import FEATURES, RadiomicsSettings, crop_features
from wirbel.training.radiomics.run import RadiomicsPlan, train_radiomics
from wirbel.training.radiomics.table import read_features, read_lines, write_features
from wirbel.training.trees import TreeSettings

#: Grey levels of the IBSI's digital phantom, slice by slice (2 mm voxels); a dot lies outside the region.
PHANTOM = (
    "14411 14611 41641 44641",
    "14411 11611 .1311 44611",
    "144.. 11111 11.11 11611",
    "144.. 11111 11111 11611",
)
#: Consensus values of the IBSI's reference manual (Zwanenburg et al. 2020; 3-D, textures averaged over directions).
CONSENSUS = {
    "FirstOrder.Mean": 2.15, "FirstOrder.Variance": 3.05, "FirstOrder.Skewness": 1.08, "FirstOrder.Median": 1.0,
    "FirstOrder.Energy": 567.0, "FirstOrder.RootMeanSquared": 2.77, "FirstOrder.MeanAbsoluteDeviation": 1.55,
    "FirstOrder.RobustMeanAbsoluteDeviation": 1.11, "FirstOrder.90Percentile": 4.0,
    "Shape.MeshVolume": 556.0, "Shape.VoxelVolume": 592.0, "Shape.SurfaceArea": 388.0, "Shape.Sphericity": 0.843,
    "Shape.Maximum3DDiameter": 13.1, "Shape.Elongation": 0.816, "Shape.Flatness": 0.749,
    "GLCM.MaximumProbability": 0.503, "GLCM.JointAverage": 2.14, "GLCM.SumSquares": 3.10, "GLCM.JointEntropy": 2.40,
    "GLCM.DifferenceAverage": 1.43, "GLCM.Contrast": 5.32, "GLCM.Correlation": 0.157, "GLCM.ClusterShade": 16.6,
    "GLCM.Imc1": -0.157, "GLCM.Imc2": 0.520, "GLRLM.ShortRunEmphasis": 0.705, "GLRLM.LongRunEmphasis": 3.06,
    "GLRLM.RunPercentage": 0.680, "GLSZM.SmallAreaEmphasis": 0.255, "GLSZM.LargeAreaEmphasis": 550.0,
    "GLSZM.ZonePercentage": 0.0676, "GLSZM.ZoneEntropy": 2.32, "GLDM.SmallDependenceEmphasis": 0.045,
    "GLDM.LargeDependenceEmphasis": 109.0, "GLDM.DependenceEntropy": 4.40, "NGTDM.Coarseness": 0.0296,
    "NGTDM.Contrast": 0.584, "NGTDM.Busyness": 6.54, "NGTDM.Complexity": 13.5, "NGTDM.Strength": 0.763,
}  # fmt: skip
SMALL = RadiomicsPlan(folds=2, trees=TreeSettings(trees=10, leaf_rows=2))


def phantom() -> tuple[np.ndarray, np.ndarray]:
    levels = [[[0 if cell == "." else int(cell) for cell in row] for row in one.split()] for one in PHANTOM]
    hu = np.array(levels, dtype=np.int16)
    return hu, hu > 0


def test_the_digital_phantom_of_the_ibsi_gets_its_consensus_values() -> None:
    hu, own = phantom()
    settings = RadiomicsSettings(low_hu=1.0, high_hu=6.0, bin_hu=1.0)
    found = dict(zip(FEATURES, crop_features(hu, own, settings, spacing_mm=2.0), strict=True))
    wrong = {k: (found[k], v) for k, v in CONSENSUS.items() if found[k] != pytest.approx(v, rel=5e-3)}
    assert not wrong


def test_what_lies_outside_the_mask_or_beyond_the_range_of_hu_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    own = np.zeros((20, 24, 28), dtype=bool)
    own[4:15, 5:18, 6:22] = True
    hu = rng.normal(200, 150, own.shape)
    hu[8, 8, 8] = 3000.0
    settings = RadiomicsSettings()
    plain = crop_features(hu, own, settings, spacing_mm=1.0)
    other = np.where(own, hu, -900.0)
    other[8, 8, 8] = 1300.0
    np.testing.assert_array_equal(plain, crop_features(other, own, settings, spacing_mm=1.0))
    wider = np.pad(hu, 3, constant_values=-1000.0), np.pad(own, 3)
    np.testing.assert_array_equal(plain, crop_features(*wider, settings, spacing_mm=1.0))
    assert np.isfinite(plain).all()


def test_an_empty_mask_and_values_that_are_no_numbers_are_refused() -> None:
    hu, own = phantom()
    with pytest.raises(InputRejected, match="no vertebra"):
        crop_features(hu, np.zeros_like(own), RadiomicsSettings(), spacing_mm=1.0)
    with pytest.raises(InputRejected, match="no numbers"):
        crop_features(np.where(hu == 3, np.nan, hu), own, RadiomicsSettings(), spacing_mm=1.0)


def cohort(folder: Path) -> Path:
    """Twelve training fractures in the cohort's two folds, four to test, a lesion that is not learnt from."""
    both = ("malignant_fracture", "osteoporotic_fracture")
    rows = [a_row(k, both[k % 2]) | {"fold": str(1 + (k // 2) % 2)} for k in range(12)]
    rows += [a_row(12 + k, both[k % 2], "test") for k in range(4)]
    return crops_in(folder, [*rows, a_row(20, "malignant_lesion")])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Crops, and the run folder of the command."""
    base = tmp_path_factory.mktemp("radiomics")
    crops = cohort(base / "crops")
    done = CliRunner().invoke(app, ["train", "radiomics", str(crops), "-o", str(base / "run"), "--folds", "2"])
    assert done.exit_code == 0, done.output
    assert "Research use only" in done.output
    return crops, base / "run"


def test_each_patient_is_judged_by_the_member_that_never_saw_them(trained: tuple[Path, Path]) -> None:
    lines = [line.split("\t") for line in (trained[1] / "scores.tsv").read_text("utf-8").splitlines()]
    assert lines[0] == ["row", "set", "member_0", "member_1"]
    given = {int(cells[0]): (cells[1], [k for k, cell in enumerate(cells[2:]) if cell]) for cells in lines[1:]}
    assert given == {
        **{k: ("out_of_fold", [(k // 2) % 2]) for k in range(12)},
        **{k: ("test", [0, 1]) for k in range(12, 16)},
    }
    config = json.loads((trained[1] / "config.json").read_text("utf-8"))
    assert (config["crops"], config["malignant"], config["simulated"]) == (12, 6, True)


def test_a_hole_in_the_bone_is_told_by_texture_of_patients_who_were_not_seen(tmp_path: Path) -> None:
    run = train_radiomics(cohort(tmp_path / "crops"), tmp_path / "run", SMALL)
    malignant = np.array([True, False] * 8)
    assert run.bad == ()
    assert run.scores.log_odds[malignant].min() > run.scores.log_odds[~malignant].max()
    models = json.loads((tmp_path / "run" / "models.json").read_text("utf-8"))
    assert len(models) == 2 and len(models[0]["trees"]) == 10


def test_a_stopped_table_goes_on_and_its_measured_crops_stay(trained: tuple[Path, Path], tmp_path: Path) -> None:
    data = open_crops(trained[0])
    whole = (trained[1] / "radiomics.tsv").read_text("utf-8").splitlines()
    out = tmp_path / "radiomics.tsv"
    blank = "\t".join(["1", *("7" for _ in FEATURES)])
    out.write_text("\n".join([whole[0], whole[1], blank]) + "\n" + whole[3][:40], encoding="utf-8")
    seen: list[int] = []
    made = write_features(data, data.rows[:4], out, RadiomicsSettings(), spacing_mm=1.0, seen=seen.append)
    assert (made.new, made.bad, seen) == (2, (), [1, 2])
    assert sorted(read_lines(out)) == [0, 1, 2, 3]
    again = read_features(out, [1, 2])
    assert (again[0] == 7).all()
    np.testing.assert_array_equal(again[1], read_features(trained[1] / "radiomics.tsv", [2])[0])
    with pytest.raises(InputRejected, match="lacks 1 crops"):
        read_features(out, [3, 5])


def test_a_folder_begun_with_other_settings_or_by_somebody_else_is_refused(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    crops, run = trained
    other = RadiomicsPlan(folds=2, features=RadiomicsSettings(bin_hu=10.0))
    with pytest.raises(UsageError, match="other crops, settings"):
        train_radiomics(crops, run, other)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        train_radiomics(crops, tmp_path, SMALL)

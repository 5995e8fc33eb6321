"""The hand-out: every awkward file gets the answer its manifest expects, every CT is read as SimpleITK reads it."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from wirbel.errors import InputRejected
from wirbel.ingest import Refusal, find_studies, inspect_input, read_masks, read_study

pytestmark = pytest.mark.data

CTS = (
    "acrin-flt-001-lower", "acrin-flt-001-upper", "crlm-ct-1004", "lidc-idri-0001", "lidc-idri-0314",
    "tcga-bc-a3kf-abdomen", "tcga-bc-a3kf-chest",
)  # fmt: skip


def expectations(folder: Path) -> dict[str, str]:
    """What each input of `robustness/` expects: a folder `series_*` is one, each other file is one."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    inputs: dict[str, str] = {}
    for row in manifest["files"]:
        name: str = row["file"]
        inputs[name.split("/", maxsplit=1)[0] if name.startswith("series_") else name] = row["expectation"]
    assert len(manifest["files"]) == 96
    return inputs


def test_every_awkward_file_gets_the_expected_answer(data_dir: Path) -> None:
    folder = data_dir / "robustness"
    deviations = []
    for name, expected in expectations(folder).items():
        inspection = inspect_input(folder / name)
        assert "\n" not in inspection.sentence
        assert inspection.is_accepted or inspection.code in set(Refusal)
        if inspection.is_accepted != (expected == "accept"):
            deviations.append((name, expected, inspection.code))
    assert not deviations


def as_simpleitk(path: Path) -> SimpleITK.Image:
    if path.is_file():
        return SimpleITK.ReadImage(str(path))
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(path)))
    return reader.Execute()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(f"{ct}/dicom", marks=[] if ct.startswith("tcga") else [pytest.mark.slow])
        for ct in CTS
    ]
    + ["totalseg-example-ct/ct.nii.gz", "verse005/ct.nii.gz", "verse006/ct.nii.gz", "verse008/ct.nii.gz",
       "ibsi-negatives/thigh/ct.nii.gz", "tptbox-l3/sub-ct_label-22_ct.nii.gz"],
)  # fmt: skip
def test_every_value_lies_where_simpleitk_has_it(data_dir: Path, name: str) -> None:
    path = data_dir / "ct" / name
    ours = read_study(path).main.volume
    image = as_simpleitk(path)
    indices = np.random.default_rng(0).integers(0, image.GetSize(), size=(200, 3)).tolist()
    voxels = ours.grid.to_voxel(np.array([image.TransformIndexToPhysicalPoint(i) for i in indices]))
    assert np.abs(voxels - np.round(voxels)).max() < 1e-2
    read = np.array([ours.hu[tuple(v)] for v in np.round(voxels).astype(int)])
    assert np.abs(read - np.maximum([image[i] for i in indices], -1024)).max() <= 0.5


def test_bone_alone_is_refused(data_dir: Path) -> None:
    with pytest.raises(InputRejected, match="97 % of the values are exactly 0") as caught:
        read_study(data_dir / "ct" / "s0328-bone-only" / "ct.nii.gz")
    assert caught.value.code == Refusal.THRESHOLDED


def test_two_acquisitions_of_one_identifier_are_told_apart_again(data_dir: Path, tmp_path: Path) -> None:
    for part in ("chest", "abdomen"):
        (tmp_path / part).symlink_to(data_dir / "ct" / f"tcga-bc-a3kf-{part}" / "dicom")
    inspection = inspect_input(tmp_path)
    assert sorted(series.slices for series in inspection.series) == [37, 59]


def test_two_stations_are_two_studies(data_dir: Path, tmp_path: Path) -> None:
    for part in ("upper", "lower"):
        (tmp_path / part).mkdir()
        folder = data_dir / "ct" / f"acrin-flt-001-{part}" / "dicom"
        for path in sorted(folder.iterdir())[:6]:
            (tmp_path / part / path.name).symlink_to(path)
    inspection = inspect_input(tmp_path)
    assert inspection.code == Refusal.SEVERAL_STUDIES
    assert find_studies(tmp_path) == [tmp_path / "lower", tmp_path / "upper"]


def test_masks_are_read_on_their_ct(data_dir: Path) -> None:
    folder = data_dir / "ct" / "verse005"
    masks = read_masks(folder / "vertebrae.nii.gz")
    assert masks.grid.same_as(read_study(folder / "ct.nii.gz").main.volume.grid)
    assert set(np.unique(masks.labels)) == {0, 20, 21, 22, 23, 24}

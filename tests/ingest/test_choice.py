"""One series for each purpose, by a table a hospital can change."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from wirbel.dicom import CtAttributes, write_ct_series
from wirbel.errors import UsageError
from wirbel.ingest import IngestSettings, Refusal, default_table, read_study, read_table
from wirbel.ingest.study import Study
from wirbel.volume import Grid, Kernel, Plane, Volume

from .bodies import body, body_hu, edit_all, set_all


def write(folder: Path, number: int, spacing_mm: tuple[float, float, float], **attributes: object) -> None:
    """A series of the study of seed 1 that covers 40 mm, whatever its slices' thickness."""
    ct = body(spacing_mm, (round(40 / spacing_mm[0]), 34, 40), seed=number)
    made = CtAttributes(seed=1, series_number=number, **attributes)  # type: ignore[arg-type]  # test's own words
    write_ct_series(ct, folder / str(number), attributes=made)


def write_sagittal(folder: Path, number: int, **attributes: object) -> None:
    """A sagittal reformat over the same 40 mm, 0.8 mm along the column."""
    affine = np.eye(4)
    affine[:3, :3] = [[2.0, 0, 0], [0, 0, 0.9], [0, -0.8, 0]]
    affine[:3, 3] = (-14, -15, 139.5)
    shape = (12, 50, 34)
    ct = Volume(Grid(shape, affine), body_hu(shape, seed=number))
    image_type = ("DERIVED", "SECONDARY", "AXIAL", "MPR")
    made = CtAttributes(seed=1, series_number=number, image_type=image_type, **attributes)  # type: ignore[arg-type]
    write_ct_series(ct, folder / str(number), attributes=made)


def numbers(study: Study) -> dict[str, str | None]:
    return {p: getattr(study, p).ref.series_number for p in ("main", "heights", "density", "cortex")}


def test_thin_soft_series_serves_everything_but_fine_cortex(tmp_path: Path) -> None:
    write(tmp_path, 1, (5.0, 0.9, 0.8))
    write(tmp_path, 2, (1.0, 0.9, 0.8))
    write(tmp_path, 3, (1.0, 0.9, 0.8), kernel="B70f")
    study = read_study(tmp_path)
    assert numbers(study) == {"main": "2", "heights": "2", "density": "2", "cortex": "3"}
    assert study.heights is study.density is study.main
    assert {r.series_number: r.code for r in study.series} == {"2": None, "3": None, "1": Refusal.SUPERSEDED}


def test_a_thin_sagittal_reformat_beats_thick_axial_slices_for_heights(tmp_path: Path) -> None:
    write(tmp_path, 1, (5.0, 0.9, 0.8))
    write_sagittal(tmp_path, 2)
    study = read_study(tmp_path)
    assert numbers(study) == {"main": "2", "heights": "2", "density": "2", "cortex": "2"} or numbers(study) == {
        "main": "1", "heights": "2", "density": "1", "cortex": "1",
    }  # fmt: skip
    heights = study.heights.ref.acquisition
    assert heights.plane is Plane.SAGITTAL
    assert heights.craniocaudal_mm == pytest.approx(0.8)


def test_a_reformat_in_another_frame_of_reference_measures_nothing(tmp_path: Path) -> None:
    write(tmp_path, 1, (4.0, 0.9, 0.8))
    write_sagittal(tmp_path, 2)
    edit_all(tmp_path / "2", set_all(FrameOfReferenceUID="1.2.3"))
    study = read_study(tmp_path)
    assert study.heights is study.main


def test_density_wants_a_soft_kernel_of_the_same_scan(tmp_path: Path) -> None:
    write(tmp_path, 1, (1.0, 0.9, 0.8), kernel="B70f")
    write(tmp_path, 2, (4.0, 0.9, 0.8), kernel="B30f")
    write(tmp_path, 3, (2.0, 0.9, 0.8), kernel="B30f", acquisition_number=2)
    study = read_study(tmp_path)
    assert numbers(study) == {"main": "1", "heights": "1", "density": "2", "cortex": "1"}
    assert study.density.ref.acquisition.kernel is Kernel.SOFT


def test_contrast_is_not_mixed_with_native(tmp_path: Path) -> None:
    write(tmp_path, 1, (1.0, 0.9, 0.8), kernel="B70f", contrast_agent="Iomeprol")
    write(tmp_path, 2, (4.0, 0.9, 0.8), kernel="B30f", contrast_agent="NONE")
    study = read_study(tmp_path)
    assert study.density is study.main
    assert study.main.ref.acquisition.contrast_agent is True


def test_the_widest_cover_wins_over_the_thinner_series(tmp_path: Path) -> None:
    write_ct_series(
        body((1.0, 0.9, 0.8), (20, 34, 40)), tmp_path / "1", attributes=CtAttributes(seed=1, series_number=1)
    )
    write(tmp_path, 2, (3.0, 0.9, 0.8))
    assert numbers(read_study(tmp_path))["main"] == "2"


def test_spectral_images_are_second_choice_and_said(tmp_path: Path) -> None:
    write(tmp_path, 1, (1.0, 0.9, 0.8), series_description="MonoE 70 keV")
    assert read_study(tmp_path).main.ref.acquisition.spectral
    write(tmp_path, 2, (1.0, 0.9, 0.8))
    study = read_study(tmp_path)
    assert numbers(study)["main"] == "2"


def test_a_series_whose_values_are_no_hounsfield_units_gives_way_to_the_next(tmp_path: Path) -> None:
    good = body((1.0, 0.9, 0.8), (40, 34, 40))
    spoiled = Volume(good.grid, np.where(good.hu < 200, 0, good.hu).astype(np.int16))
    write_ct_series(spoiled, tmp_path / "1", attributes=CtAttributes(seed=1, series_number=1))
    write(tmp_path, 2, (2.0, 0.9, 0.8))
    study = read_study(tmp_path)
    assert numbers(study)["main"] == "2"
    assert {r.series_number: r.code for r in study.series} == {"2": None, "1": Refusal.THRESHOLDED}


@pytest.mark.parametrize(
    ("maker", "name", "kernel"),
    [
        ("SIEMENS", "B30f", Kernel.SOFT),
        ("SIEMENS", "Br40d", Kernel.SOFT),
        ("SIEMENS", "B60f", Kernel.BONE),
        ("SIEMENS", "Br64h", Kernel.BONE),
        ("SIEMENS", "Bl57d", Kernel.LUNG),
        ("SIEMENS", "B80f", Kernel.LUNG),
        ("SIEMENS", "Qr36d", Kernel.SOFT),
        ("GE MEDICAL SYSTEMS", "STANDARD", Kernel.SOFT),
        ("GE MEDICAL SYSTEMS", "BONEPLUS", Kernel.BONE),
        ("GE MEDICAL SYSTEMS", "LUNG", Kernel.LUNG),
        ("Philips", "B", Kernel.SOFT),
        ("Philips", "YC", Kernel.BONE),
        ("TOSHIBA", "FC08", Kernel.SOFT),
        ("Canon", "FC30", Kernel.BONE),
        ("TOSHIBA", "FC52", Kernel.LUNG),
        ("Unheard", "X-1", Kernel.UNKNOWN),
        ("Unheard", None, Kernel.UNKNOWN),
    ],
)
def test_kernels_are_known_by_their_makers_names(maker: str, name: str | None, kernel: Kernel) -> None:
    assert default_table().kernel_of(name, maker) is kernel


def test_a_hospital_can_change_the_table(tmp_path: Path) -> None:
    write(tmp_path / "s", 1, (4.0, 0.9, 0.8))
    text = files("wirbel.ingest").joinpath("series_table.toml").read_text("utf-8")
    (tmp_path / "own.toml").write_text(text.replace("max_slice_mm = 5.05", "max_slice_mm = 3.0"))
    strict = IngestSettings(table=read_table(tmp_path / "own.toml"))
    with pytest.raises(Exception, match=r"4\.00 mm, limit 3\.00 mm"):
        read_study(tmp_path / "s", strict)


@pytest.mark.parametrize("text", ["accept = 3", "[accept]", "not toml at all =", "\xff"])
def test_a_broken_table_is_wrong_usage(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"own\.toml"):
        read_table(tmp_path / "own.toml")

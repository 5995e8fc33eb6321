"""`wirbel inspect`: the answer for people, for machines, and as exit code."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from wirbel.cli.inspect import inspect
from wirbel.dicom import CtAttributes, write_ct_series

from .bodies import body, edit_all, files_of, remove, set_all

app = typer.Typer()
app.command()(inspect)


def test_an_accepted_study_shows_series_geometry_kernel_and_purposes(series: Path) -> None:
    write_ct_series(body((5.0, 0.9, 0.8)), series / "b", attributes=CtAttributes(seed=1, series_number=2))
    result = CliRunner().invoke(app, [str(series), "--json"])
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert answer["research_use_only"] is True
    assert (answer["accepted"], answer["kind"], answer["code"]) == (True, "ct", None)
    by_number = {s["series_number"]: s for s in answer["series"]}
    thin, thick = by_number["1"], by_number["2"]
    assert thick["purposes"] == ["finding", "heights", "density", "cortex"]  # the thin one covers too little
    assert thin["code"] == "SUPERSEDED"
    assert thin["geometry"] | {"slices": 12, "rows": 34, "columns": 40, "slice_step_mm": 2.0} == thin["geometry"]
    assert thin["acquisition"]["kernel"] == "soft"
    assert thin["kernel_name"] == "B30f"


def test_a_refused_study_ends_with_three_and_one_line(series: Path) -> None:
    remove([files_of(series)[5]])
    result = CliRunner().invoke(app, [str(series)])
    assert result.exit_code == 3
    assert result.stderr.strip().count("\n") == 0
    assert "MISSING_SLICES" in result.stderr
    answer = json.loads(CliRunner().invoke(app, [str(series), "--json"]).stdout)
    assert (answer["accepted"], answer["code"]) == (False, "MISSING_SLICES")
    assert answer["series"][0]["code"] == "MISSING_SLICES"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_patient_data_leave(series: Path, form: list[str]) -> None:
    secret = {
        "PatientName": "Doe^Jane", "PatientID": "ID-4711", "PatientBirthDate": "19420101",
        "AccessionNumber": "ACC-0815", "StudyInstanceUID": "1.2.3.4.5", "SeriesInstanceUID": "1.2.3.4.6",
        "SeriesDescription": "Thorax Doe", "StudyDate": "20240229",
    }  # fmt: skip
    edit_all(series, set_all(**secret))
    said = CliRunner().invoke(app, [str(series), *form]).output
    remove(files_of(series)[3:4])
    said += CliRunner().invoke(app, [str(series), *form]).output
    assert not [value for value in ("Doe", "4711", "1942", "0815", "1.2.3.4", "20240229") if value in said]


def test_a_hospitals_own_table_is_used(series: Path, tmp_path: Path) -> None:
    text = files("wirbel.ingest").joinpath("series_table.toml").read_text("utf-8")
    (tmp_path / "own.toml").write_text(text.replace("max_slice_mm = 5.05", "max_slice_mm = 1.0"))
    result = CliRunner().invoke(app, [str(series), "--series-table", str(tmp_path / "own.toml")])
    assert result.exit_code == 3
    assert "TOO_THICK" in result.stderr

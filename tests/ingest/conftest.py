"""One good series for every test that spoils one."""

from pathlib import Path

import pytest

from wirbel.dicom import CtAttributes, write_ct_series
from wirbel.volume import Volume

from .bodies import body


@pytest.fixture
def ct() -> Volume:
    return body()


@pytest.fixture
def series(tmp_path: Path, ct: Volume) -> Path:
    """A folder with the body as one good CT series."""
    folder = tmp_path / "study"
    write_ct_series(ct, folder, attributes=CtAttributes(seed=1))
    return folder

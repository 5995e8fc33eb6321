"""What all tests share: where the hand-out lies, and matplotlib without a screen."""

import os
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")

DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The hand-out's folder, or a skip that says why."""
    folder = Path(os.environ.get("WIRBEL_DATA", DEFAULT_DATA))
    if not (folder / "README.md").is_file():
        pytest.skip(f"no hand-out at {folder.name!r}: set WIRBEL_DATA to the folder with ct/ and masks/")
    return folder

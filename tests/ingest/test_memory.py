"""A 2,000-slice study fits: values are held once, as two bytes each."""

import subprocess
import sys
from pathlib import Path

import pytest

from wirbel.dicom import CtAttributes, Syntax, write_ct_series
from wirbel.dicom.write_enhanced import write_enhanced_ct
from wirbel.volume import Volume

from .bodies import body

PROGRAM = """
import sys
from pathlib import Path
from wirbel.ingest import read_study
def peak_bytes():  # ru_maxrss would start at the parent's peak
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])
before = peak_bytes()
study = read_study(Path(sys.argv[1]))
print(study.main.volume.hu.nbytes, peak_bytes() - before)
"""


def held_and_grown(source: Path) -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(source)], check=True, capture_output=True, text=True)
    held, grown = done.stdout.split()
    return int(held), int(grown)


@pytest.fixture(scope="module")
def long_body() -> Volume:
    return body((0.6, 0.9, 0.8), (2000, 160, 160))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("syntax", [Syntax.EXPLICIT, Syntax.JPEG_LS])
def test_two_thousand_slices_are_held_once(tmp_path: Path, long_body: Volume, syntax: Syntax) -> None:
    write_ct_series(long_body, tmp_path, attributes=CtAttributes(seed=1), syntax=syntax)
    held, grown = held_and_grown(tmp_path)
    assert held == 2000 * 160 * 160 * 2
    assert 0.9 * held < grown < 1.25 * held + 80 * 1024**2  # headers and a few slices


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_thousand_frames_in_one_file_are_held_once_beside_the_file(tmp_path: Path, long_body: Volume) -> None:
    path = write_enhanced_ct(long_body, tmp_path / "ct.dcm", attributes=CtAttributes(seed=1))
    held, grown = held_and_grown(path)
    assert 0.9 * held < grown < 2.4 * held + 120 * 1024**2

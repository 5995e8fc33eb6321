"""Wall clock, processor time and peak memory of `wirbel analyze`, and how they grow with the number of slices.

    python benchmarks/analyze_speed.py                    # the hand-out's 275-slice chest CT, 1x 2x 4x 8x slices
    python benchmarks/analyze_speed.py --factors 1 --repeat 3

The longer series are the same CT mirrored and stacked on itself (2,200 slices at 8x): their bytes, and so the cost
of decoding, are real; their anatomy is not. Each run is a process of its own; ratios are taken within one call.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import generate_uid

DEFAULT_DATA = Path(__file__).parents[1].parent / "shared" / "data"
WIRBEL = [sys.executable, "-c", "from wirbel.cli.main import main; main()"]
GIB = 1024**3


@dataclass(frozen=True)
class Run:
    slices: int
    wall_s: float
    processor_s: float
    peak_bytes: int
    exit_code: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WIRBEL_DATA", DEFAULT_DATA)))
    parser.add_argument("--case", default="lidc-idri-0314")
    parser.add_argument("--factors", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--repeat", type=int, default=1, help="the fastest of so many runs counts")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    source = options.data / "ct" / options.case / "dicom"
    if not source.is_dir():
        print(f"no CT at {source}: set WIRBEL_DATA", file=sys.stderr)
        return 2
    runs = []
    with tempfile.TemporaryDirectory() as scratch:
        for factor in options.factors:
            study = source if factor == 1 else stacked(source, factor, Path(scratch) / f"{factor}x")
            tries = [analysed(study, Path(scratch) / "out", options.backend) for _ in range(options.repeat)]
            runs.append(min(tries, key=lambda run: run.wall_s))
            if not options.json:
                print(line(runs[-1], runs[0]), flush=True)
    if options.json:
        print(json.dumps([vars(run) for run in runs], indent=1))
    return max(run.exit_code for run in runs)


def line(run: Run, first: Run) -> str:
    """One row of the table in docs/performance.md."""
    return (
        f"| {run.slices} | {run.wall_s:.1f} s | {run.processor_s:.1f} s | {run.peak_bytes / GIB:.2f} GiB | "
        f"{run.slices / first.slices:.1f} | {run.processor_s / first.processor_s:.2f} | {run.exit_code} |"
    )


def analysed(study: Path, out: Path, backend: str) -> Run:
    """One analysis in a process of its own."""
    start = time.perf_counter()
    command = [*WIRBEL, "analyze", str(study), "-o", str(out), "--json", "--backend", backend]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    slices = sum(1 for path in study.iterdir() if path.is_file())
    return Run(slices, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, process.returncode)


def stacked(source: Path, factor: int, target: Path) -> Path:
    """The series `factor` times on itself, every other copy upside down, as a new series at the same spacing."""
    target.mkdir()
    slices = [pydicom.dcmread(path) for path in sorted(source.iterdir()) if path.is_file()]
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    step = float(slices[1].ImagePositionPatient[2]) - float(slices[0].ImagePositionPatient[2])
    bottom, uid = float(slices[0].ImagePositionPatient[2]), generate_uid(entropy_srcs=[source.name, str(factor)])
    for copy in range(factor):
        for i, one in enumerate(slices if copy % 2 == 0 else reversed(slices)):
            number = copy * len(slices) + i
            position = list(one.ImagePositionPatient)
            position[2] = f"{bottom + number * step:.3f}"
            one.ImagePositionPatient = position
            one.InstanceNumber = number + 1
            one.SeriesInstanceUID = uid
            one.SOPInstanceUID = generate_uid(entropy_srcs=[uid, str(number)])
            one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
            if "SliceLocation" in one:
                one.SliceLocation = position[2]
            one.save_as(target / f"{number:05d}.dcm")
    return target


if __name__ == "__main__":
    sys.exit(main())

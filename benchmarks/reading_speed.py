"""Reading a CT series: ours beside SimpleITK's reader on the same files, in one run.

    python benchmarks/reading_speed.py FOLDER [FOLDER ...] [--repeats 5]

Both find the files, read them and end with all values in memory; ours checks, hashes and orients them besides.
Each repeat takes both in turn; the table gives medians and the ratio (below 1: ours is faster).
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK

from wirbel.ingest import IngestSettings, read_study


def simpleitk(folder: Path) -> np.ndarray:
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return SimpleITK.GetArrayViewFromImage(reader.Execute())


def ours(folder: Path) -> np.ndarray:
    return read_study(folder, IngestSettings()).main.volume.hu


def timed(read: Callable[[Path], np.ndarray], folder: Path) -> tuple[float, float]:
    """Wall and processor seconds of one reading."""
    wall, processor = time.perf_counter(), time.process_time()
    values = read(folder)
    assert values.size
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print("| series | slices | ours s | SimpleITK s | ratio | ours cpu s | SimpleITK cpu s | cpu ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for folder in arguments.folders:
        slices = len(ours(folder))
        simpleitk(folder)
        pairs = [(timed(ours, folder), timed(simpleitk, folder)) for _ in range(arguments.repeats)]
        a, b, c, d = (
            statistics.median(pair[who][what] for pair in pairs) for what in (0, 1) for who in (0, 1)
        )
        name = folder.parent.name if folder.name == "dicom" else folder.name
        print(f"| {name} | {slices} | {a:.2f} | {b:.2f} | {a / b:.2f} | {c:.2f} | {d:.2f} | {c / d:.2f} |")


if __name__ == "__main__":
    main()

"""Naming again what the networks saw of drawn columns: right, refused, wrong, by variant; no image is needed.

    python benchmarks/spine_on_phantoms.py --variants --any-slice --count 40 --columns columns.jsonl
    python benchmarks/naming_on_kept_columns.py columns.jsonl [--each]

Every figure is simulated. The decoder's settings can so be looked at without segmenting again.
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.spine import Level, SpineSettings, VertebraEvidence
from wirbel.spine.decode import ColumnSeen, decode
from wirbel.spine.naming import numbered


def column_of(plain: Mapping[str, Any]) -> ColumnSeen:
    """What was kept, as the decoder wants it."""
    vertebrae = []
    for v in plain["vertebrae"]:
        rest = {k: value for k, value in v.items() if k != "true"}
        rest["centre_lps_mm"] = np.array(rest["centre_lps_mm"])
        rest["level_log_probability"] = {Level[k]: p for k, p in rest["level_log_probability"].items()}
        vertebrae.append(VertebraEvidence(**rest))
    distances, sizes = (tuple(plain[k]) for k in ("distances_mm", "sizes_mm"))
    return ColumnSeen(tuple(vertebrae), distances, sizes, plain["sacrum_below"], plain["skull_above"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--each", action="store_true", help="a line a person")
    given = parser.parse_args()
    settings, came = SpineSettings(), Counter[tuple[str, str]]()
    for line in given.file.read_text(encoding="utf-8").splitlines():
        plain = json.loads(line)
        column = column_of(plain)
        decoding = decode(column, settings)
        levels, numbering = numbered(column, decoding, settings)
        true = [v["true"] for v in plain["vertebrae"]]
        pairs = zip(levels or (), true, strict=False)
        how = "refused" if levels is None else "right" if all(a.name == b for a, b in pairs if b) else "wrong"
        came[plain["variant"] or "none", how] += 1
        if given.each:
            best = decoding.labellings[0] if decoding.labellings else None
            says = f"{best.levels[0].name} to {best.levels[-1].name}" if best else "nothing"
            stated = "-" if numbering.probability is None else f"{numbering.probability:.2f}"
            print(
                f"{plain['seed']} {plain['variant']}: {how}, is {true[0]} to {true[-1]}, says {says} ({stated}), "
                f"{numbering.reason}, anchors {', '.join(numbering.anchors) or 'none'}"
            )
    for variant in sorted({v for v, _ in came}):
        counts = ", ".join(f"{how} {came[variant, how]}" for how in ("right", "refused", "wrong"))
        print(f"{variant} (simulated): {counts}")


if __name__ == "__main__":
    main()

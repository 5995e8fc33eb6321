"""The main job on a drawn CT: draws a DICOM study with known fractures, analyses it, prints the truth beside it.

Everything shown is simulated. Research use only.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from pathlib import Path

WIRBEL = [sys.executable, "-c", "from wirbel.cli.main import main; main()"]


def main() -> int:
    """Draw, analyse, compare; the exit code of the step that failed, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="7")
    parser.add_argument("--out", type=Path, default=Path("demo"))
    options = parser.parse_args()
    start = time.monotonic()
    study, result = options.out / "study", options.out / "result"

    print(f"1. drawing a CT with known truth (seed {options.seed}) ...", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    if code := run("phantom", "--seed", options.seed, "--out", study):
        return code
    truth = json.loads((study / "truth" / "truth.json").read_text())
    own_masks = ("--masks", study / "truth" / "vertebrae.nii.gz", "--numbering", "verse")
    if has_network():
        if code := analysed(study, result, truth, "2", "with the networks that find, segment and name"):
            return code
        result_with_masks = options.out / "result-own-masks"
        why = "with the drawing's own masks: what measuring and grading do where segmenting is perfect"
        if code := analysed(study, result_with_masks, truth, "3", why, *own_masks):
            return code
    else:
        print("(no spine network is installed: the drawing's own masks are used)")
        if code := analysed(study, result, truth, "2", "with the drawing's own masks", *own_masks):
            return code
    print(f"\nreport: {(result / 'report.html').resolve()}")
    print(f"Simulated data. Research use only, not a medical device.  ({time.monotonic() - start:.0f} s)")
    return 0


def analysed(study: Path, out: Path, truth: dict, number: str, how: str, *options: object) -> int:
    """Analyse the drawing and print the truth beside the result; the exit code."""
    print(f"\n{number}. wirbel analyze {study / 'ct'} -o {out}: {how} (simulated CT) ...\n", flush=True)
    if code := run("analyze", study / "ct", "-o", out, *options, quiet=True):
        return code
    compare(truth, json.loads((out / "result.json").read_text()))
    return 0


def run(*arguments: object, quiet: bool = False) -> int:
    """One wirbel command; its exit code."""
    return subprocess.run(
        [*WIRBEL, *map(str, arguments)], check=False, stdout=subprocess.DEVNULL if quiet else None
    ).returncode


def has_network() -> bool:
    """Whether a spine network is installed."""
    shown = subprocess.run([*WIRBEL, "info", "--json"], check=True, capture_output=True, text=True)
    bundles = json.loads(shown.stdout)["bundles"]
    return any(bundle["name"] == "spine" and not bundle["problem"] for bundle in bundles)


def compare(truth: dict, result: dict) -> None:
    """One line a drawn vertebra that is in view, and the vertebra found nearest to it, whatever its name."""
    found = list(result["vertebrae"])
    print(f"{'truth':<36}{'wirbel':<46}height error, mm: ant   mid   post")
    for drawn in truth["vertebrae"]:
        if drawn["in_view"]:
            own = nearest(drawn, found)
            if own is not None:
                found.remove(own)
            print(f"{drawn['level']:<5}{truth_words(drawn):<31}{own_words(own):<46}{height_errors(drawn, own):>34}")
    for own in found:
        print(f"{'-':<36}{own_words(own)}")
    print(f"\nnumbering: {result['numbering']['status']}")


def nearest(drawn: dict, found: list[dict]) -> dict | None:
    """The vertebra whose centre lies within 20 mm of the drawn one."""
    near = [(math.dist(drawn["centre_lps_mm"], v["centre_lps_mm"]), i) for i, v in enumerate(found)]
    distance, index = min(near, default=(math.inf, -1))
    return found[index] if distance <= 20.0 else None


def truth_words(drawn: dict) -> str:
    """What was drawn."""
    if not drawn["genant_grade"]:
        return "no fracture"
    return f"{drawn['shape']} grade {drawn['genant_grade']}, loss {100 * drawn['loss']:.0f} %"


def own_words(own: dict | None) -> str:
    """What the result says of it."""
    if own is None:
        return "not found"
    finding = own["finding"]
    words = "no fracture" if finding["verdict"] == "normal" else finding["verdict"].replace("_", " ")
    if isinstance(finding["grade"], int) and finding["grade"]:
        words += f", {finding['shape'] or 'shape unclear'} grade {finding['grade']}"
    if isinstance(finding["loss"], float) and finding["verdict"] != "normal":
        words += f", loss {100 * finding['loss']:.0f} %"
    return f"{own['name']:<5}{words}"


def height_errors(drawn: dict, own: dict | None) -> str:
    """Measured minus drawn."""
    heights = (own or {}).get("measures", {}).get("heights", {})
    median = heights.get("median") if isinstance(heights, dict) else None
    if not median:
        return "-"
    parts = ("anterior", "middle", "posterior")
    return "  ".join(f"{median[f'{part}_mm'] - drawn['heights_mm'][part]:+5.1f}" for part in parts)


if __name__ == "__main__":
    sys.exit(main())

"""Verdicts on the hand-out's real CTs and masks, with the masks that came with them."""

import importlib.util
import sys
from pathlib import Path

import pytest

from wirbel.finding import ContrastPhase, Finding, FindingSettings, Verdict, Why, find_all
from wirbel.spine import Spine
from wirbel.vertebra import NotMeasured, Reason, VertebraSettings, measure_all
from wirbel.volume import Volume

SPEC = importlib.util.spec_from_file_location("spines", Path(__file__).parents[1] / "vertebra" / "spines.py")
spines = importlib.util.module_from_spec(SPEC)
sys.modules["spines"] = spines
SPEC.loader.exec_module(spines)


def verdicts(ct: Volume, spine: Spine) -> dict[str, Finding]:
    acquisition = spines.acquisition_of(ct)
    measures = measure_all(ct, spine, VertebraSettings(), acquisition)
    found = find_all(ct, spine, measures, FindingSettings(), acquisition)
    return {v.name: f for v, f in zip(spine.vertebrae, found.vertebrae, strict=True)}


@pytest.mark.data
def test_the_one_questionable_endplate_is_told_from_lordosis(data_dir: Path) -> None:
    found = verdicts(*spines.totalseg_example(data_dir))
    assert found["T12"].not_assessed == NotMeasured(Reason.TOUCHES_EDGE)
    assert found["L1"].verdict in (Verdict.BORDERLINE, Verdict.FRACTURE)
    assert Why.LORDOTIC_SHAPE not in found["L1"].reasons
    for name in ("L2", "L3", "L4", "L5"):
        assert found[name].verdict is not Verdict.FRACTURE
    for name in ("L3", "L4", "L5"):
        assert Why.LORDOTIC_SHAPE in found[name].reasons


@pytest.mark.data
def test_published_mild_biconcave_vertebrae_are_at_least_borderline(data_dir: Path) -> None:
    found = verdicts(*spines.verse_case(data_dir, "verse005"))
    for name in ("L1", "L2", "L3", "L4"):
        assert found[name].verdict in (Verdict.BORDERLINE, Verdict.FRACTURE), name
    assert found["L5"].verdict is Verdict.NORMAL


@pytest.mark.data
@pytest.mark.parametrize(("name", "broken"), [("verse004", {"T9", "T10", "L1"}), ("verse010", {"L1"})])
def test_moderate_and_severe_fractures_of_masks_alone_are_found_and_nothing_else(
    data_dir: Path, name: str, broken: set[str]
) -> None:
    spine = spines.verse_mask(data_dir, name)
    found = verdicts(spines.no_ct(spine), spine)
    assert {n for n, f in found.items() if f.verdict is Verdict.FRACTURE} == broken


@pytest.mark.data
def test_a_native_scan_is_seen_as_one(data_dir: Path) -> None:
    ct, spine = spines.totalseg_example(data_dir)
    acquisition = spines.acquisition_of(ct)
    measures = measure_all(ct, spine, VertebraSettings(), acquisition)
    found = find_all(ct, spine, measures, FindingSettings(), acquisition)
    assert found.density.phase is ContrastPhase.NATIVE

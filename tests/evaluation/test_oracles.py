"""Every published number of the hand-out: reproduced within its tolerance, or named as not covered."""

from __future__ import annotations

import importlib.util
import json
import math
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PARTS = ("oracles_a.py", "oracles_b.py")
WITHOUT_DATA = "mra_obuchowski1997 (data table NOT obtained)"
ROUNDED_INPUT = {"difference", "diff CI low", "diff CI high", "p", "reader1 AUC CI low"}
"""Follow from areas of which four digits are printed: off by what that rounding brings."""


def _values(folder: Path) -> dict[tuple[str, str | None, str], float]:
    out: dict[tuple[str, str | None, str], float] = {}
    for name in PARTS:
        spec = importlib.util.spec_from_file_location(name.removesuffix(".py"), HERE / name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        out |= module.reproduced(folder)
    return out


def _close(found: float, wanted: float, tolerance: float) -> bool:
    if math.isnan(wanted) or math.isinf(wanted):
        return math.isnan(found) if math.isnan(wanted) else found == wanted
    return abs(found - wanted) <= tolerance


@pytest.fixture(scope="module")
def verdicts(data_dir):
    """For each entry of the list: reproduced, wrong (with both values) or not covered."""
    folder = data_dir / "oracles"
    values = _values(folder)
    out = []
    for entry in json.loads((folder / "expected.json").read_text()):
        key = (entry["dataset"], entry.get("method"), entry["quantity"])
        wanted = float(entry["value"])
        if key not in values:
            out.append((key, "not covered", None, wanted))
            continue
        good = _close(values[key], wanted, float(entry["tolerance"]))
        out.append((key, "reproduced" if good else "wrong", values[key], wanted))
    return out


def test_every_published_number_that_comes_with_data_is_reproduced(verdicts):
    of_data = [v for v in verdicts if v[0][0] != WITHOUT_DATA]
    assert len(of_data) == 935
    failed = [v for v in of_data if v[1] != "reproduced"]
    count = Counter(v[1] for v in of_data)
    assert not failed, f"{dict(count)}: " + "; ".join(f"{k}: {how}, {x} for {y}" for k, how, x, y in failed)


def test_the_printed_intermediates_of_obuchowski_1997_lead_to_its_variances(verdicts):
    printed = {v[0][2]: v for v in verdicts if v[0][0] == WITHOUT_DATA}
    assert len(printed) == 26
    for quantity in ("SE reader 1", "SE reader 2", "SE difference"):
        assert printed[quantity][1] == "reproduced", printed[quantity]
    computed = {q: v for q, v in printed.items() if v[1] != "not covered"}
    exact = {q for q, v in computed.items() if v[1] == "reproduced"}
    assert set(computed) - exact <= ROUNDED_INPUT
    for q in set(computed) - exact:
        _, _, found, wanted = computed[q]
        # half a unit of the fourth digit in both areas moves z by 0.015 and p by 0.012
        assert abs(found - wanted) <= (0.012 if q == "p" else 1.6e-4), computed[q]
    # what is left are the inputs themselves: 15 components and numbers, 2 areas
    assert len(printed) - len(computed) == 17

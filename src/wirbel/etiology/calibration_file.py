"""A calibration as a JSON text, checked by its own digest when it is read."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wirbel.errors import ModelError
from wirbel.etiology.calibration import Calibration, Cohort, Population
from wirbel.etiology.novelty import Novelty
from wirbel.etiology.probability_map import BetaMap, MapKind, ProbabilityMap, StepMap
from wirbel.etiology.thresholds import Bound, Confidence, Promise, TierThresholds
from wirbel.etiology.venn_abers import VennAbers

FORMAT, FORMAT_VERSION = "wirbel-calibration", 1
NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."


def written_calibration(calibration: Calibration) -> str:
    """The JSON text; it holds scores and classes of the cohort but no patient, and its own digest."""
    content = _content(calibration)
    return json.dumps({**content, "sha256": _digest(content)}, indent=1, allow_nan=False) + "\n"


def read_calibration(text: str) -> Calibration:
    """The calibration of a JSON text; `ModelError` where it is none, of another version, or was changed."""
    try:
        stored = json.loads(text)
    except json.JSONDecodeError as exc:
        raise ModelError(f"the calibration is no JSON ({exc.msg}, line {exc.lineno}): fit it again") from None
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise ModelError(f"this is no calibration: its format must be {FORMAT!r}; make one with wirbel recalibrate")
    if stored.get("format_version") != FORMAT_VERSION:
        raise ModelError(
            f"the calibration has version {stored.get('format_version')}, this program reads {FORMAT_VERSION}: fit "
            "it again"
        )
    content = {key: value for key, value in stored.items() if key != "sha256"}
    if stored.get("sha256") != _digest(content):
        raise ModelError("the calibration does not match its digest: it was changed or damaged; fit it again")
    try:
        return _calibration(stored)
    except (KeyError, TypeError, ValueError) as exc:
        raise ModelError(f"the calibration lacks something or holds nonsense ({exc}): fit it again") from None


def calibration_sha256(calibration: Calibration) -> str:
    """The digest under which the file names itself, for the provenance."""
    return _digest(_content(calibration))


def _digest(content: Mapping[str, object]) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def _content(calibration: Calibration) -> dict[str, object]:
    cohort, tiers = calibration.cohort, calibration.tiers
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "notice": NOTICE,
        "simulated": cohort.simulated,
        "scorer": {"digest": calibration.scorer, "members": calibration.members},
        "population": calibration.population.value,
        "cohort": {
            "name": cohort.name,
            "patients_malignant": cohort.malignant,
            "patients_other": cohort.benign,
            "vertebrae": cohort.vertebrae,
            "prevalence": cohort.prevalence,
            "sha256": cohort.sha256,
        },
        "map": _map_content(calibration.map),
        "log_loss": {kind.value: loss for kind, loss in calibration.log_loss.items()},
        "venn_abers": {
            "log_odds": list(calibration.venn_abers.log_odds),
            "counts": list(calibration.venn_abers.counts),
            "malignant": list(calibration.venn_abers.malignant),
        },
        "tiers": {
            "unit": "patient: errs when any vertebra of the class errs",
            "method": "learn-then-test, fixed sequence, exact binomial p-values",
            "alpha_missed": tiers.promise.alpha_missed,
            "alpha_false_alarm": tiers.promise.alpha_false_alarm,
            "delta": tiers.promise.delta,
            "confidence": tiers.promise.confidence.value,
            "osteoporotic_below": _finite(tiers.osteoporotic_below),
            "malignant_from": _finite(tiers.malignant_from),
            "missed": _bound_content(tiers.missed),
            "false_alarm": _bound_content(tiers.false_alarm),
        },
        "novelty": None if calibration.novelty is None else _novelty_content(calibration.novelty),
    }


def _finite(value: float) -> float | None:
    """None stands for "this tier is never given"."""
    return value if np.isfinite(value) else None


def _map_content(fitted: ProbabilityMap) -> dict[str, object]:
    if isinstance(fitted, BetaMap):
        return {"kind": fitted.kind.value, "a": fitted.a, "b": fitted.b, "c": fitted.c}
    return {"kind": fitted.kind.value, "log_odds": list(fitted.log_odds), "shares": list(fitted.shares)}


def _bound_content(bound: Bound) -> dict[str, object]:
    return {
        "alpha": bound.alpha,
        "delta": bound.delta,
        "patients": bound.patients,
        "needed": bound.needed,
        "certified": bound.certified,
        "errors": bound.errors,
        "upper": bound.upper,
    }


def _novelty_content(novelty: Novelty) -> dict[str, object]:
    return {
        "means": novelty.means.tolist(),
        "spread": novelty.spread.tolist(),
        "directions": novelty.directions.tolist(),
        "variances": novelty.variances.tolist(),
        "rest": novelty.rest,
        "limit": novelty.limit,
        "false_refusals": novelty.false_refusals,
    }


def _calibration(stored: Mapping[str, Any]) -> Calibration:
    cohort, va = stored["cohort"], stored["venn_abers"]
    return Calibration(
        scorer=str(stored["scorer"]["digest"]),
        members=int(stored["scorer"]["members"]),
        population=Population(stored["population"]),
        cohort=Cohort(
            str(cohort["name"]),
            bool(stored["simulated"]),
            int(cohort["patients_malignant"]),
            int(cohort["patients_other"]),
            int(cohort["vertebrae"]),
            float(cohort["prevalence"]),
            str(cohort["sha256"]),
        ),
        map=_map(stored["map"]),
        log_loss={MapKind(kind): float(loss) for kind, loss in stored["log_loss"].items()},
        venn_abers=VennAbers(_floats(va["log_odds"]), _ints(va["counts"]), _ints(va["malignant"])),
        tiers=_tiers(stored["tiers"]),
        novelty=None if stored["novelty"] is None else _novelty(stored["novelty"]),
    )


def _map(stored: Mapping[str, Any]) -> ProbabilityMap:
    kind = MapKind(stored["kind"])
    if kind is MapKind.ISOTONIC:
        return StepMap(kind, _floats(stored["log_odds"]), _floats(stored["shares"]))
    return BetaMap(kind, float(stored["a"]), float(stored["b"]), float(stored["c"]))


def _tiers(stored: Mapping[str, Any]) -> TierThresholds:
    below, start = stored["osteoporotic_below"], stored["malignant_from"]
    return TierThresholds(
        Promise(
            float(stored["alpha_missed"]), float(stored["alpha_false_alarm"]), float(stored["delta"]),
            Confidence(stored["confidence"]),
        ),
        -np.inf if below is None else float(below),
        np.inf if start is None else float(start),
        _bound(stored["missed"]),
        _bound(stored["false_alarm"]),
    )  # fmt: skip


def _bound(stored: Mapping[str, Any]) -> Bound:
    return Bound(
        float(stored["alpha"]), float(stored["delta"]), int(stored["patients"]), int(stored["needed"]),
        bool(stored["certified"]), int(stored["errors"]), float(stored["upper"]),
    )  # fmt: skip


def _novelty(stored: Mapping[str, Any]) -> Novelty:
    means, spread, directions, variances = (
        np.array(stored[name], dtype=np.float64) for name in ("means", "spread", "directions", "variances")
    )
    return Novelty(
        means, spread, directions, variances, float(stored["rest"]), float(stored["limit"]),
        float(stored["false_refusals"]),
    )  # fmt: skip


def _floats(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(map(float, values))


def _ints(values: Sequence[Any]) -> tuple[int, ...]:
    return tuple(map(int, values))

"""One study from its files to its folder."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from wirbel.cli.order import Order
from wirbel.cli.outcome import Outcome, lines_of
from wirbel.delivery import check_place, deliver_folder
from wirbel.errors import ModelError, UsageError
from wirbel.ingest import read_named_masks, read_study
from wirbel.network.bundle import SHIPPED, load_bundle
from wirbel.report import render
from wirbel.report.language import language
from wirbel.report.wording import Wording
from wirbel.spine import Segmenter, SpineEvidence, evidence_from_masks
from wirbel.study import StudyResult, StudySeries, analyse
from wirbel.volume import Volume

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """A segmenter with the hashes of what is behind it."""

    segment: Segmenter
    bundles: dict[str, str]


def engine_of(order: Order) -> Engine:
    """Who segments; raises `ModelError` where its networks are missing or damaged."""
    if order.masks is not None:
        return _given_masks(order)
    if order.engine == "totalsegmentator":
        from wirbel.network.totalsegmentator import installed_totalsegmentator  # noqa: PLC0415

        segmenter = installed_totalsegmentator()
        return Engine(segmenter, {segmenter.source: "weights of its own, not hashed"})
    if not (SHIPPED / "spine").is_dir():
        raise ModelError("no spine network is installed: give vertebra masks with --masks, or install one")
    bundle = load_bundle(SHIPPED / "spine")
    from wirbel.network.segmenter import load_spine_segmenter  # noqa: PLC0415  # who has masks needs no runtime

    return Engine(load_spine_segmenter(bundle=bundle, backend=order.backend), {bundle.name: bundle.sha256})


def analyse_study(path: Path, out: Path, order: Order, engine: Engine, step: Step) -> Outcome:
    """Read, analyse and deliver one study; raises what went wrong, and then `out` is as it was."""
    started, clock = datetime.now(UTC), time.perf_counter()
    check_place(out, overwrite=order.overwrite)
    step("reading")
    study = read_study(path, order.ingest)
    ct = study.main.volume
    step("finding vertebrae")

    def segment(volume: Volume, /) -> SpineEvidence:
        evidence = engine.segment(volume)
        step("naming, measuring, judging")
        return evidence

    result = analyse(
        StudySeries(study.main, study.heights, study.density),
        segment=segment,
        settings=order.settings,
        bundles=engine.bundles,
    )
    result = _timed(result, started, time.perf_counter() - clock)
    step("drawing the report")
    pages = render(result, ct, lang=order.lang)
    step("writing")
    deliver_folder(result, ct, pages, out, overwrite=order.overwrite)
    return Outcome(
        name=study.name,
        exit_code=0,
        message="done",
        out=out,
        seconds=round(time.perf_counter() - clock, 2),
        numbering=result.spine.numbering.status.value,
        vertebrae=lines_of(Wording(language(order.lang), result), ct.grid),
    )


def _given_masks(order: Order) -> Engine:
    if order.masks is None:  # pragma: no cover - asked for only with masks
        raise UsageError("no masks are given")
    masks = read_named_masks(order.masks, order.ingest)

    def segment(ct: Volume, /) -> SpineEvidence:
        return evidence_from_masks(masks.labels, numbering=order.numbering, ct_grid=ct.grid)

    return Engine(segment, {f"masks {order.masks.name}": masks.sha256})


def _timed(result: StudyResult, started: datetime, seconds: float) -> StudyResult:
    provenance = replace(
        result.provenance, started=started.isoformat(timespec="seconds"), seconds=round(seconds, 2)
    )
    return replace(result, provenance=provenance)

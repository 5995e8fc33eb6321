"""One study from its files to its folder."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from wirbel.cli.order import Order
from wirbel.cli.outcome import Outcome, lines_of
from wirbel.delivery import check_place, deliver_folder
from wirbel.errors import ModelError, UsageError
from wirbel.etiology import Calibrations, Clinical, EtiologyScorer, Recalibrated, must_fit
from wirbel.ingest import read_named_masks, read_study
from wirbel.network.bundle import SHIPPED, load_bundle
from wirbel.report import render
from wirbel.report.language import language
from wirbel.report.wording import Wording
from wirbel.spine import Segmenter, SpineEvidence, evidence_from_masks
from wirbel.study import SeriesRef, StudyResult, StudySeries, analyse
from wirbel.volume import Volume

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """A segmenter, the classifier where there is one, and the hashes of what is behind them."""

    segment: Segmenter
    bundles: dict[str, str]
    scorer: EtiologyScorer | None = None


def engine_of(order: Order, threads: int | None = None) -> Engine:
    """Who segments and who scores; raises `ModelError` where networks are missing, damaged or do not fit.

    `threads` for each network, None: as many as there are cores.
    """
    engine = _segmenting(order, threads)
    if not order.cause:
        return engine
    from wirbel.network.fracture_scorer import open_scorer, shipped_scorer  # noqa: PLC0415  # --no-cause needs none

    own = None if order.classifier is None else open_scorer(order.classifier.folder, threads=threads)
    return scoring(engine, own or shipped_scorer(threads=threads), order.site)


def scoring(engine: Engine, scorer: EtiologyScorer | None, site: Calibrations) -> Engine:
    """The engine with a classifier, whose scores mean what the site found where it fitted a calibration."""
    if scorer is None:
        if site != Calibrations():
            raise ModelError("a calibration of scores is given, but no classifier is installed: leave it out")
        return engine
    if site != Calibrations():
        scorer = Recalibrated(scorer, site)
        must_fit(scorer)
    return replace(engine, scorer=scorer, bundles={**engine.bundles, scorer.identity.name: scorer.identity.digest})


def _segmenting(order: Order, threads: int | None) -> Engine:
    if order.masks is not None:
        return _given_masks(order)
    if order.engine == "totalsegmentator":
        from wirbel.network.totalsegmentator import installed_totalsegmentator  # noqa: PLC0415

        segmenter = installed_totalsegmentator()
        return Engine(segmenter, {segmenter.source: "weights of its own, not hashed"})
    if order.spine is None and not (SHIPPED / "spine").is_dir():
        raise ModelError("no spine network is installed: give vertebra masks with --masks, or install one")
    bundle = order.spine or load_bundle(SHIPPED / "spine")
    from wirbel.network.segmenter import load_spine_segmenter  # noqa: PLC0415  # who has masks needs no runtime

    networks = load_spine_segmenter(bundle=bundle, backend=order.backend, threads=threads)
    return Engine(networks, {bundle.name: bundle.sha256})


def analyse_study(path: Path, out: Path, order: Order, engine: Engine, step: Step) -> Outcome:
    """Read, analyse and deliver one study; raises what went wrong, and then `out` is as it was."""
    started, clock = datetime.now(UTC), time.perf_counter()
    check_place(out, overwrite=order.overwrite)
    step("reading")
    study = read_study(path, order.ingest)
    clinical = _clinical(order, study.main.ref, {study.name, out.name})
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
        scorer=engine.scorer,
        clinical=clinical,
        bundles=engine.bundles,
    )
    result = _timed(result, started, time.perf_counter() - clock)
    step("drawing the report")
    pages = render(result, ct, lang=order.lang)
    step("writing")
    deliver_folder(result, ct, pages, out, overwrite=order.overwrite)
    if order.authors_form is not None:
        from wirbel.cohort.predicted import deliver_predictions  # noqa: PLC0415  # seldom asked for

        named = study.name if study.name.startswith("sub-") else out.name
        deliver_predictions(order.authors_form, result, named)
    return Outcome(
        name=study.name,
        exit_code=0,
        message="done",
        out=out,
        seconds=round(time.perf_counter() - clock, 2),
        numbering=result.spine.numbering.status.value,
        vertebrae=lines_of(Wording(language(order.lang), result), ct.grid),
    )


def _clinical(order: Order, ref: SeriesRef, names: Collection[str]) -> Clinical:
    """What the clinical file says of this study's patient."""
    if order.clinical is None:
        return Clinical()
    from wirbel.cohort.predicted import file_id_of  # noqa: PLC0415  # seldom asked for

    return order.clinical.of(patient=ref.patient_id, study={*names, *map(file_id_of, names)})


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

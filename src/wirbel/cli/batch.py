"""Several studies, one after the other or on a cluster; a bad one never stops the rest."""

import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wirbel import __version__
from wirbel.cli.exit import ExitCode, tell
from wirbel.cli.one_study import engine_of
from wirbel.cli.order import Order
from wirbel.cli.outcome import Outcome
from wirbel.cli.progress import Display, display
from wirbel.cli.tables import batch_table, study_table
from wirbel.cli.turn import OpenEngine, Turn, Unwatched, Watched
from wirbel.errors import DeliveryError, UsageError, WirbelError
from wirbel.ingest import find_studies
from wirbel.workers.cluster import on_cluster
from wirbel.workers.port import Lost, Spread
from wirbel.workers.processes import Here

SUMMARY = "summary.json"
NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."


def analyse_inputs(
    inputs: Sequence[Path],
    out: Path,
    order: Order,
    *,
    as_json: bool,
    open_engine: OpenEngine = engine_of,
    cluster: str | None = None,
) -> int:
    """Analyse all inputs into `out` (several: one folder each below it); prints, and gives the exit code.

    One study that fails ends with its own code; of several, some that failed are code 1 and each is listed.
    `open_engine` opens who segments and scores, in each process. `cluster`: the scheduler of a Dask cluster.
    """
    studies = studies_of(inputs)
    if order.masks is not None and len(studies) > 1:
        raise UsageError(f"--masks belong to one study, {len(studies)} are given: analyse them one by one")
    if order.clinical is not None and order.clinical.is_of_one and len(studies) > 1:
        raise UsageError(
            f"--clinical holds one patient, {len(studies)} studies are given: add a column patient or study"
        )
    engine = open_engine(order, None)
    single = len(studies) == 1
    if single:
        turns = [Turn(path.name, path, out, order.masks) for _, path in studies]
    else:
        turns = [Turn(name, path, out / name) for name, path in studies]
    with display(len(turns), quiet=as_json) as shown:
        if cluster is None:
            outcomes = _here(turns, Watched(order, engine, shown.study), shown)
        else:
            home = out.absolute().parent if single else out
            with on_cluster(cluster, home) as crew:
                outcomes = _elsewhere(turns, Unwatched(order, open_engine), crew, shown)
    return _told_of_one(outcomes[0], as_json=as_json) if single else _told(outcomes, out, as_json=as_json)


def _here(turns: Sequence[Turn], work: Watched, shown: Display) -> list[Outcome]:
    """In this process nothing is lost."""
    results = (done.result for done in Here()(work, turns))
    return [_seen(outcome, turns, shown) for outcome in results if isinstance(outcome, Outcome)]


def _elsewhere(turns: Sequence[Turn], work: Unwatched, spread: Spread, shown: Display) -> list[Outcome]:
    """The outcomes of other processes in the order of the turns."""
    outcomes = {}
    shown.study("all")("waiting for the cluster")
    for done in spread(work, turns):
        turn = turns[done.place]
        outcome = done.result
        if isinstance(outcome, Lost):
            said = f"{turn.path.name}: {outcome.sentence}"
            outcome = Outcome(turn.name, ExitCode.READING_OR_WRITING, said, code=outcome.by.value)
        elif outcome.out is not None:
            outcome = replace(outcome, out=turn.out)
        outcomes[done.place] = _seen(outcome, turns, shown)
        shown.study(turn.name)("done")
    return [outcomes[place] for place in sorted(outcomes)]


def _seen(outcome: Outcome, turns: Sequence[Turn], shown: Display) -> Outcome:
    if len(turns) > 1 and not outcome.is_done:
        shown.line(f"wirbel: {outcome.message}")
    return outcome


def studies_of(inputs: Sequence[Path]) -> list[tuple[str, Path]]:
    """Every study of the inputs with a folder name of its own.

    One of several inputs that is not there or cannot be listed stays in, so that its own turn says why.
    """
    found: list[tuple[str, Path]] = []
    taken: set[str] = set()
    for given in inputs:
        try:
            below = find_studies(given)
        except WirbelError:
            if len(inputs) == 1:
                raise
            below = [given]
        for study in below:
            name = _unique(_folder_name(study, given), taken)
            taken.add(name.casefold())
            found.append((name, study))
    return found


def _told_of_one(outcome: Outcome, *, as_json: bool) -> int:
    if as_json:
        _print_json([outcome], outcome.exit_code)
    elif outcome.is_done:
        study_table(outcome)
    if not outcome.is_done:
        tell(outcome.message, outcome.exit_code)
    return outcome.exit_code


def _told(outcomes: Sequence[Outcome], out: Path, *, as_json: bool) -> int:
    code = ExitCode.DONE if all(o.is_done for o in outcomes) else ExitCode.SOME_FAILED
    _write_summary(out, outcomes, code)
    if as_json:
        _print_json(outcomes, code)
    else:
        batch_table(outcomes, out)
    return code


def _folder_name(study: Path, given: Path) -> str:
    """`pat1/ct.nii.gz` below the given folder becomes `pat1-ct`; a given study keeps its own name."""
    parts = list(study.relative_to(given).parts) if study != given else [study.resolve().name or "study"]
    for ending in (".gz", ".nii", ".zip", ".dcm"):
        parts[-1] = parts[-1].removesuffix(ending)
    return "-".join(part for part in parts if part) or "study"


def _unique(name: str, taken: set[str]) -> str:
    number, candidate = 2, name
    while candidate.casefold() in taken or candidate == SUMMARY:
        candidate, number = f"{name}-{number}", number + 1
    return candidate


def _text(outcomes: Sequence[Outcome], code: int) -> str:
    plain = {
        "wirbel": __version__,
        "notice": NOTICE,
        "exit_code": int(code),
        "studies": [outcome.as_plain() for outcome in outcomes],
    }
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def _print_json(outcomes: Sequence[Outcome], code: int) -> None:
    sys.stdout.write(_text(outcomes, code))


def _write_summary(out: Path, outcomes: Sequence[Outcome], code: int) -> None:
    """Whole or not at all, like the results."""
    partial = out / f".{SUMMARY}-{secrets.token_hex(4)}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        partial.write_text(_text(outcomes, code), encoding="utf-8")
        partial.replace(out / SUMMARY)
    except OSError as exc:
        raise DeliveryError(f"{SUMMARY} could not be written to {out.name!r}: {exc.strerror}") from exc
    finally:
        partial.unlink(missing_ok=True)

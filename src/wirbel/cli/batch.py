"""Several studies one after the other; a bad one never stops the rest."""

import json
import os
import secrets
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from wirbel import __version__
from wirbel.cli.exit import DEBUG, ExitCode, line_of, tell
from wirbel.cli.one_study import Engine, Step, analyse_study, engine_of
from wirbel.cli.order import Order
from wirbel.cli.outcome import Outcome
from wirbel.cli.progress import display
from wirbel.cli.tables import batch_table, study_table
from wirbel.errors import DeliveryError, InputRejected, UsageError, WirbelError
from wirbel.ingest import find_studies

SUMMARY = "summary.json"
NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."


def analyse_inputs(
    inputs: Sequence[Path], out: Path, order: Order, *, as_json: bool, engine: Engine | None = None
) -> int:
    """Analyse all inputs into `out` (several: one folder each below it); prints, and gives the exit code.

    One study that fails ends with its own code; of several, some that failed are code 1 and each is listed.
    `engine` None: the one that the order names.
    """
    studies = studies_of(inputs)
    if order.masks is not None and len(studies) > 1:
        raise UsageError(f"--masks belong to one study, {len(studies)} are given: analyse them one by one")
    if order.clinical is not None and order.clinical.is_of_one and len(studies) > 1:
        raise UsageError(
            f"--clinical holds one patient, {len(studies)} studies are given: add a column patient or study"
        )
    engine = engine or engine_of(order)
    if len(studies) == 1:
        return _single(studies[0][1], out, order, engine, as_json=as_json)
    return _several(studies, out, order, engine, as_json=as_json)


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


def _single(path: Path, out: Path, order: Order, engine: Engine, *, as_json: bool) -> int:
    with display(1, quiet=as_json) as shown:
        outcome = _tried(path, path.name, out, order, engine, shown.study(path.name))
    if as_json:
        _print_json([outcome], outcome.exit_code)
    elif outcome.is_done:
        study_table(outcome)
    if not outcome.is_done:
        tell(outcome.message, outcome.exit_code)
    return outcome.exit_code


def _several(
    studies: Sequence[tuple[str, Path]], out: Path, order: Order, engine: Engine, *, as_json: bool
) -> int:
    outcomes = []
    with display(len(studies), quiet=as_json) as shown:
        for name, path in studies:
            outcome = _tried(path, name, out / name, order, engine, shown.study(name))
            outcomes.append(outcome)
            if not outcome.is_done:
                shown.line(f"wirbel: {outcome.message}")
    code = ExitCode.DONE if all(o.is_done for o in outcomes) else ExitCode.SOME_FAILED
    _write_summary(out, outcomes, code)
    if as_json:
        _print_json(outcomes, code)
    else:
        batch_table(outcomes, out)
    return code


def _tried(path: Path, name: str, out: Path, order: Order, engine: Engine, step: Step) -> Outcome:
    """The study's outcome, whatever happens but an interruption."""
    try:
        return analyse_study(path, out, order, engine, step)
    except Exception as exc:  # noqa: BLE001  # the edge where one bad study is set aside
        if os.environ.get(DEBUG):
            traceback.print_exc()
        message, code = line_of(exc)
        if path.name not in message:
            message = f"{path.name}: {message}"
        refused = exc.code if isinstance(exc, InputRejected) else None
        return Outcome(name, code, " ".join(message.split()), code=refused)


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

"""The check's report as text, JSON and drawing."""

import json
from collections import Counter
from pathlib import Path

from wirbel.cohort.check import CohortReport
from wirbel.cohort.flow import flow_text
from wirbel.cohort.flow_svg import flow_svg
from wirbel.cohort.labelled import LabelledVertebra
from wirbel.cohort.problem import Problem, Severity
from wirbel.cohort.rules import REASONS
from wirbel.cohort.whole_files import write_whole

NOTICE = "Research use only."
#: Problems of one kind that the text shows; JSON has all.
SHOWN = 8


def report_text(report: CohortReport) -> str:
    """What a person reads: the flow, then contradictions, then notes."""
    lines = [flow_text(report.flow)]
    for severity, title in ((Severity.ERROR, "contradictions"), (Severity.NOTE, "notes")):
        found = [p for p in report.problems if p.severity is severity]
        lines.append(f"{len(found)} {title}" + ("" if found else ": none"))
        lines += _some(found)
    if not report.looked:
        lines.append("images and masks were not opened (--fast)")
    return "\n".join(lines)


def report_as_json(report: CohortReport) -> str:
    """Everything, for machines."""
    plain = {
        "notice": NOTICE,
        "sound": report.is_sound,
        "images": report.images,
        "images_opened": report.looked,
        "flow": report.flow.as_plain(),
        "problems": [p.as_plain() for p in report.problems],
        "excluded": [
            {
                "line": e.vertebra.line,
                "patient": e.vertebra.patient,
                "vertebra": e.vertebra.level.name if isinstance(e.vertebra, LabelledVertebra) else None,
                "reason": e.reason.value,
                "words": REASONS[e.reason][1],
            }
            for e in sorted(report.excluded, key=lambda e: e.vertebra.line)
        ],
    }
    return json.dumps(plain, indent=1, ensure_ascii=False)


def write_report(report: CohortReport, out: Path) -> None:
    """check.json, flow.svg and flow.txt into a folder."""
    write_whole(out / "check.json", report_as_json(report) + "\n")
    write_whole(out / "flow.svg", flow_svg(report.flow) + "\n")
    write_whole(out / "flow.txt", f"{report_text(report)}\n{NOTICE}\n")


def _some(problems: list[Problem]) -> list[str]:
    """Each problem, of one kind the first few."""
    shown: Counter[str] = Counter()
    lines = []
    for p in problems:
        shown[p.code] += 1
        if shown[p.code] <= SHOWN:
            lines.append(f"  [{p.code.value}] {p.text}")
    lines += [f"  [{code}] and {n - SHOWN} more: see --json" for code, n in shown.items() if n > SHOWN]
    return lines

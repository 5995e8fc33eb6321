"""The whole check of a cohort: table, images, rules, splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wirbel.cohort.agreement import disagreements
from wirbel.cohort.facts import ImageFacts, facts_of_all, facts_without_looking
from wirbel.cohort.flow import Excluded, Flow, flow_of
from wirbel.cohort.labelled import LabelledVertebra, Source
from wirbel.cohort.layout import SubjectImage, find_images, is_simulated
from wirbel.cohort.matching import Match, match_images
from wirbel.cohort.problem import Code, Problem, Severity, error, note
from wirbel.cohort.rules import Reason, StudyRules, image_reason, level_reason, reference_reason
from wirbel.cohort.sizes import SizeLimits, size_problems
from wirbel.cohort.table import CohortTable, find_table, read_table
from wirbel.cohort.whole_files import finish_replacing


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What the check goes by; `look` opens every image and mask."""

    rules: StudyRules = field(default_factory=StudyRules)
    limits: SizeLimits = field(default_factory=SizeLimits)
    look: bool = True
    workers: int = 1


@dataclass(frozen=True, slots=True)
class CohortReport:
    """What the check found. `included` are the vertebrae that may be used, each with its image in `matches`."""

    name: str
    problems: tuple[Problem, ...]
    included: tuple[LabelledVertebra, ...]
    excluded: tuple[Excluded, ...]
    flow: Flow
    images: int
    looked: bool

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The contradictions."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def is_sound(self) -> bool:
        """Whether nothing contradicts itself."""
        return not self.errors


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """A folder's table with the image of each row."""

    folder: Path
    table_path: Path
    table: CohortTable
    images: tuple[SubjectImage, ...]
    is_simulated: bool
    match: Match


def open_cohort(folder: Path, table: Path | None = None) -> Cohort:
    """Table and images of a folder, matched; nothing is opened but the table. A broken-off correction is finished.

    Raises `UsageError` where there is no folder, table or image, `InputRejected` where the table is none.
    """
    finish_replacing(folder)
    path = table if table is not None else find_table(folder)
    read = read_table(path)
    images = find_images(folder)
    drawn = is_simulated(folder) or any(Source.SIMULATION in v.sources for v in read.vertebrae)
    return Cohort(folder, path, read, images, drawn, match_images(read, images))


def check_cohort(
    cohort: Cohort, settings: CheckSettings | None = None, *, seen: Callable[[ImageFacts], None] | None = None
) -> CohortReport:
    """Every problem, who is left out and why, and the flow; `seen` is told of each image that was looked at."""
    settings = settings or CheckSettings()
    facts = _facts(cohort, settings, seen)
    included, excluded = sort_out(cohort, facts, settings.rules)
    problems = [
        *cohort.table.problems,
        *cohort.match.problems,
        *(p for f in facts.values() for p in f.problems),
        *_mask_problems(cohort, excluded),
        *_same_images(list(facts.values())),
        *disagreements(cohort.table),
        *size_problems(included, settings.limits),
    ]
    problems.sort(key=lambda p: p.severity is not Severity.ERROR)
    name = cohort.folder.resolve().name
    flow = flow_of(name, included, excluded, is_simulated=cohort.is_simulated)
    return CohortReport(
        name, tuple(problems), tuple(included), tuple(excluded), flow, len(cohort.images), settings.look
    )


def sort_out(
    cohort: Cohort, facts: dict[SubjectImage, ImageFacts], rules: StudyRules
) -> tuple[list[LabelledVertebra], list[Excluded]]:
    """Who may be used and who may not; the first reason in the order of the flow's steps counts."""
    excluded = [Excluded(row, Reason.ROW_NOT_READ) for row in cohort.table.unread]
    included = []
    for v in cohort.table.vertebrae:
        image = cohort.match.images.get(v.line)
        reason = (
            image_reason(v, facts[image] if image is not None else None)
            or level_reason(v)
            or reference_reason(v, rules)
        )
        if reason is None:
            included.append(v)
        else:
            excluded.append(Excluded(v, reason))
    return included, excluded


def _facts(
    cohort: Cohort, settings: CheckSettings, seen: Callable[[ImageFacts], None] | None
) -> dict[SubjectImage, ImageFacts]:
    used = set(cohort.match.images.values())
    images = [image for image in cohort.images if image in used]
    if not settings.look:
        return {image: facts_without_looking(image) for image in images}
    facts = {}
    for found in facts_of_all(images, workers=settings.workers):
        facts[found.image] = found
        if seen is not None:
            seen(found)
    return facts


def _mask_problems(cohort: Cohort, excluded: Sequence[Excluded]) -> list[Problem]:
    problems = []
    for e in excluded:
        v = e.vertebra
        if not isinstance(v, LabelledVertebra):
            continue
        where = f"{cohort.table.name}, line {v.line}, vertebra"
        if e.reason is Reason.NOT_IN_MASK:
            problems.append(
                error(
                    Code.NOT_IN_MASK, where, f"{v.name} is not in the mask: correct the row, or the mask's numbers"
                )
            )
        elif e.reason is Reason.CUT_BY_BORDER:
            problems.append(note(Code.CUT_BY_BORDER, where, f"{v.name} is cut by the image's border: left out"))
    return problems


def _same_images(facts: Sequence[ImageFacts]) -> list[Problem]:
    """The same CT under two patients is one patient under two names."""
    first: dict[str, ImageFacts] = {}
    problems = []
    for f in facts:
        if f.digest is None:
            continue
        other = first.setdefault(f.digest, f)
        if other.image.patient != f.image.patient:
            problems.append(
                error(
                    Code.SAME_IMAGE,
                    f.image.stem,
                    f"holds the same CT as {other.image.stem}: one patient under two names, give both one name",
                )
            )
    return problems

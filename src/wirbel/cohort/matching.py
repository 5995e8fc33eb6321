"""Which CT each row of the table is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wirbel.cohort.labelled import LabelledVertebra
from wirbel.cohort.layout import SubjectImage
from wirbel.cohort.problem import Code, Problem, error, note
from wirbel.cohort.table import CohortTable


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """The image of each row by its line; rows without an image of their own are in `problems`."""

    images: Mapping[int, SubjectImage]
    problems: tuple[Problem, ...]


def match_images(table: CohortTable, images: Sequence[SubjectImage]) -> Match:
    """Find each row's image: the patient's only one, or the one that the column `image` names."""
    of_patient: dict[str, list[SubjectImage]] = {}
    for image in images:
        of_patient.setdefault(image.patient, []).append(image)
    found: dict[int, SubjectImage] = {}
    problems = []
    for v in table.vertebrae:
        own = of_patient.get(v.patient, [])
        fitting = [image for image in own if _is_named(image, v.image)]
        if len(fitting) == 1:
            found[v.line] = fitting[0]
        else:
            problems.append(_problem(table.name, v, own, fitting))
    labelled = {v.patient for v in table.vertebrae} | {row.patient for row in table.unread}
    unused = sorted(set(of_patient) - labelled)
    if unused:
        named = ", ".join(f"sub-{patient}" for patient in unused[:5]) + (" ..." if len(unused) > 5 else "")
        sentence = f"{len(unused)} patients have a CT and no row: {named}"
        problems.append(note(Code.UNUSED_IMAGE, table.name, sentence))
    return Match(found, tuple(problems))


def _is_named(image: SubjectImage, name: str | None) -> bool:
    """Whether the row's `image` names it: the file's name, its stem, or whole parts of it (`ses-01`)."""
    if name is None:
        return True
    wanted = name.removesuffix(".gz").removesuffix(".nii").removesuffix("_ct")
    return wanted == image.stem or f"_{wanted}_" in f"_{image.stem}_"


def _problem(
    table: str, v: LabelledVertebra, own: Sequence[SubjectImage], fitting: Sequence[SubjectImage]
) -> Problem:
    where = f"{table}, line {v.line}"
    if not own:
        cure = f"add rawdata/sub-{v.patient}, or correct the row"
        return error(Code.NO_IMAGE, f"{where}, patient", f"sub-{v.patient} has no CT: {cure}")
    stems = ", ".join(image.stem for image in own)
    if not fitting:
        sentence = f"no CT of sub-{v.patient} is called {v.image!r}: write {stems}"
        return error(Code.NO_IMAGE, f"{where}, image", sentence)
    return error(
        Code.WHICH_IMAGE, f"{where}, image", f"sub-{v.patient} has {len(own)} CTs: write which one, of {stems}"
    )

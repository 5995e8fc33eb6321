"""Who is in the cohort: every patient with their vertebrae, scanner and seed, dealt from the settings alone."""

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.cases import DrawnCause
from wirbel.phantom.cases.cause import MIMICS
from wirbel.phantom.cohort.arms import Arm, Split
from wirbel.phantom.cohort.settings import CohortSettings

#: At most this many vertebrae of interest in a patient.
MOST = 8
FOLDS = 5


@dataclass(frozen=True, slots=True)
class PatientOrder:
    """A patient to draw; `row` is the number of the first of the patient's crops."""

    patient: str
    arm: str
    split: str
    fold: int | None
    site: str
    causes: tuple[DrawnCause, ...]
    seed: int
    row: int


def orders_of(settings: CohortSettings) -> tuple[PatientOrder, ...]:
    """All patients of a cohort, arm by arm."""
    out: list[PatientOrder] = []
    row = 0
    for place, arm in enumerate(settings.arms):
        rng = np.random.default_rng([settings.seed, 1000 + place])
        for i, causes in enumerate(_patients(rng, arm)):
            seed = int(np.random.default_rng([settings.seed, place, i]).integers(2**31))
            name = f"sim-{''.join(w[0] for w in arm.name.split('_'))}{place}-{i + 1:04d}"
            out.append(PatientOrder(name, arm.name, arm.split.value, _fold(arm, i), arm.site, causes, seed, row))
            row += len(causes)
    return tuple(out)


def _fold(arm: Arm, i: int) -> int | None:
    """Five folds of whole patients, in training only; patients come in random order."""
    return i % FOLDS + 1 if arm.split is Split.TRAIN else None


def _patients(rng: np.random.Generator, arm: Arm) -> list[tuple[DrawnCause, ...]]:
    """The arm's vertebrae dealt to its patients: one kind of disease in each."""
    malignant = [DrawnCause.MALIGNANT_FRACTURE] * arm.malignant + [DrawnCause.MALIGNANT_LESION] * arm.lesions
    groups: list[list[DrawnCause]] = [[DrawnCause.OSTEOPOROTIC_FRACTURE] * arm.osteoporotic, malignant]
    groups += [[DrawnCause.NORMAL] * arm.normal, [DrawnCause.SPONDYLODISCITIS] * arm.discitis]
    # a form of the column cannot be asked for beside another: each mimic is a patient of its own
    each, more = divmod(arm.mimics, len(MIMICS))
    groups += [[mimic] * (each + (k < more)) for k, mimic in enumerate(MIMICS)]
    groups = [g for g in groups if g]
    share = _patients_of(groups, arm.patients)
    out: list[tuple[DrawnCause, ...]] = []
    for group, n in zip(groups, share, strict=True):
        causes = [group[int(i)] for i in rng.permutation(len(group))]
        dealt: list[list[DrawnCause]] = [[c] for c in causes[:n]]
        for cause in causes[n:]:
            open_ones = [d for d in dealt if len(d) < MOST]
            open_ones[int(rng.integers(len(open_ones)))].append(cause)
        # fractures first: the first one sets the patient's age and bone
        out += [tuple(sorted(d)[::-1]) for d in dealt]
    return [out[int(i)] for i in rng.permutation(len(out))]


def _patients_of(groups: list[list[DrawnCause]], patients: int) -> list[int]:
    """Patients for each group: one for each vertebra of normal and mimic ones, the rest by size."""
    fixed = [len(g) if g[0] in (DrawnCause.NORMAL, *MIMICS, DrawnCause.SPONDYLODISCITIS) else 0 for g in groups]
    rest = patients - sum(fixed)
    sizes = np.array([0 if f else len(g) for g, f in zip(groups, fixed, strict=True)], float)
    if sizes.sum() == 0:
        return fixed
    # the osteoporotic have fewer fractures each than the malignant have lesions: between even and by size
    weight = np.sqrt(sizes) * np.sqrt(sizes.mean()) if patients < sum(map(len, groups)) else sizes
    exact = rest * weight / weight.sum()
    out = np.floor(exact).astype(int)
    out[np.argsort(out - exact)[: rest - out.sum()]] += 1
    return [f or int(min(max(n, 1), len(g))) for f, n, g in zip(fixed, out, groups, strict=True)]

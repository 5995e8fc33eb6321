"""Who becomes what: causes spread evenly over the donors, so that neither patient nor level tells the cause."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wirbel.errors import UsageError
from wirbel.phantom.cases.cause import FRACTURED, DrawnCause
from wirbel.spine import Level

#: Three in six fractures of each kind, one unfractured lesion and one sham: the shares of a cohort's causes.
SHARES: dict[DrawnCause, float] = {
    DrawnCause.OSTEOPOROTIC_FRACTURE: 1 / 3,
    DrawnCause.MALIGNANT_FRACTURE: 1 / 3,
    DrawnCause.MALIGNANT_LESION: 1 / 6,
    DrawnCause.NORMAL: 1 / 6,
}


@dataclass(frozen=True, slots=True)
class Vertebra:
    """One that can lend: donor and patient by name; `broken`: it may be fractured further, but is no normal one."""

    donor: str
    patient: str
    level: Level
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """One case to be made."""

    vertebra: Vertebra
    cause: DrawnCause
    seed: int


def spread(vertebrae: Sequence[Vertebra], cases: int, *, seed: int) -> tuple[Order, ...]:
    """As many cases as asked for, each vertebra used as often as the others (to one), never twice for one cause.

    Within a patient causes come in their shares as nearly as may be. Raises `UsageError` where there are too few
    vertebrae.
    """
    if not 0 < cases <= len(SHARES) * len(vertebrae):
        raise UsageError(f"{cases} cases from {len(vertebrae)} vertebrae: each can serve {len(SHARES)} times")
    rng = np.random.default_rng([seed, 3])
    patients = sorted({v.patient for v in vertebrae})
    slots: list[Vertebra] = []
    while len(slots) < cases:
        turn = [vertebrae[int(i)] for i in rng.permutation(len(vertebrae))]
        slots += turn[: cases - len(slots)]
    used: dict[Vertebra, set[DrawnCause]] = {v: set() for v in vertebrae}
    orders: list[Order] = []
    everywhere: Counter[DrawnCause] = Counter()
    for patient in patients:
        own = sorted((v for v in slots if v.patient == patient), key=lambda v: not v.broken)
        here: Counter[DrawnCause] = Counter()
        for vertebra in own:
            cause = _next(vertebra, used[vertebra], here, everywhere, len(own))
            used[vertebra].add(cause)
            here[cause] += 1
            everywhere[cause] += 1
            orders.append(Order(vertebra, cause, int(rng.integers(2**31))))
    return tuple(orders)


def _next(
    vertebra: Vertebra,
    used: set[DrawnCause],
    here: Mapping[DrawnCause, int],
    everywhere: Mapping[DrawnCause, int],
    own: int,
) -> DrawnCause:
    """The cause that the patient, then the cohort, is furthest short of."""
    may = [c for c in SHARES if c not in used and (c in FRACTURED or not vertebra.broken)]
    may = may or [c for c in SHARES if c in FRACTURED or not vertebra.broken]
    total = sum(everywhere.values()) + 1

    def short(cause: DrawnCause) -> tuple[float, float]:
        return SHARES[cause] * own - here.get(cause, 0), SHARES[cause] * total - everywhere.get(cause, 0)

    return max(may, key=lambda c: (round(short(c)[0] / SHARES[c] / max(own, 1), 3), short(c)[1]))

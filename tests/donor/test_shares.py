"""Causes are spread over donors so that neither patient nor level tells the cause."""

from collections import Counter

import pytest

from wirbel.donor.shares import SHARES, Vertebra, spread
from wirbel.errors import UsageError
from wirbel.phantom.cases import DrawnCause
from wirbel.spine import Level


def _vertebrae() -> list[Vertebra]:
    return [
        Vertebra(f"ct{p}", f"p{p}", Level(8 + k), broken=p == 2 and k < 3) for p in range(6) for k in range(4 + p)
    ]


def test_shares_are_kept_in_the_cohort_and_nearly_in_each_patient():
    vertebrae = _vertebrae()
    orders = spread(vertebrae, 2 * len(vertebrae), seed=1)
    assert len(orders) == 2 * len(vertebrae)
    counts = Counter(o.cause for o in orders)
    for cause, share in SHARES.items():
        assert abs(counts[cause] - share * len(orders)) <= 4
    for p in range(6):
        own = Counter(o.cause for o in orders if o.vertebra.patient == f"p{p}")
        assert abs(own[DrawnCause.OSTEOPOROTIC_FRACTURE] - own[DrawnCause.MALIGNANT_FRACTURE]) <= 2


def test_no_vertebra_serves_one_cause_twice_and_all_serve_equally_often():
    orders = spread(_vertebrae(), 60, seed=2)
    assert max(Counter((o.vertebra, o.cause) for o in orders).values()) == 1
    times = Counter(o.vertebra for o in orders).values()
    assert max(times) - min(times) <= 1


def test_what_is_broken_already_is_no_normal_vertebra():
    orders = spread(_vertebrae(), 78, seed=3)
    sound = {DrawnCause.NORMAL, DrawnCause.MALIGNANT_LESION}
    assert not [o for o in orders if o.vertebra.broken and o.cause in sound]


def test_same_seed_same_orders():
    assert spread(_vertebrae(), 40, seed=4) == spread(_vertebrae(), 40, seed=4)


def test_too_many_cases_are_refused():
    with pytest.raises(UsageError):
        spread(_vertebrae(), 1000, seed=1)

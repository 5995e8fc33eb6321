"""A small drawn CT serves as the donor: its masks are true, its noise is known."""

import numpy as np
import pytest

from wirbel.donor.region import Region, region_of
from wirbel.donor.sources import Donor, DonorCt
from wirbel.phantom.cases import CaseSettings, DrawnCause, draw_case
from wirbel.spine import Level
from wirbel.volume import Acquisition, LabelMap, Plane, freeze


def drawn_donor(seed: int) -> tuple[DonorCt, Level]:
    """A normal drawn vertebra with its neighbours, as if it were a real CT; lumbar or low thoracic."""
    for s in range(seed, seed + 60):
        settings = CaseSettings(DrawnCause.NORMAL, scanner="siemens-b30f-1", phase="native", size_mm=88.0)
        case = draw_case(np.random.default_rng(s), settings)
        if Level.T10.rank <= case.truth.level.rank <= Level.L4.rank:
            break
    levels = {v.instance: v.level for v in case.patient.anatomy.vertebrae}
    table = np.zeros(256, np.uint8)
    for instance, level in levels.items():
        table[instance] = int(level)
    labels = LabelMap(case.ct.grid, freeze(table[case.labels.instances]))
    parts = LabelMap(case.ct.grid, freeze(np.array(case.labels.parts, dtype=np.uint8)))
    told = {t.level: t.centre_lps_mm for t in case.patient.anatomy.truth.vertebrae}
    donor = Donor("drawn", "drawn", "drawn", "none", masks="drawn")
    source = DonorCt(
        donor, case.ct, Acquisition(Plane.AXIAL, 1.0, 1.0), labels, parts,
        {case.truth.level: told[case.truth.level]}, False, "drawn", "0" * 64, "0" * 64,
    )  # fmt: skip
    return source, case.truth.level


@pytest.fixture(scope="session")
def source() -> DonorCt:
    return drawn_donor(1)[0]


@pytest.fixture(scope="session")
def region(source: DonorCt) -> Region:
    return region_of(source, next(iter(source.centres_lps_mm)))

"""A person in numbers: what `draw_anatomy` draws and `rasterise` turns into voxels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from wirbel.finding import Grade, Shape
from wirbel.phantom.body import Body
from wirbel.phantom.implicit import Frame
from wirbel.phantom.mimicry import Change
from wirbel.phantom.morphometry import Morphometry
from wirbel.phantom.person import Person
from wirbel.phantom.settings import Mimic
from wirbel.phantom.sixpoints import TrueShape
from wirbel.spine import Level, Variant


@dataclass(frozen=True, slots=True, eq=False)
class VertebraShape:
    """One vertebra: its size, its body and where it stands; `instance` counts from above, starting at 1."""

    instance: int
    level: Level
    size: Morphometry
    body: Body
    frame: Frame
    scale: float
    ribs: tuple[bool, bool]
    rib_length: float = 1.0
    facet_asymmetry: float = 0.0
    change: Change = field(default_factory=Change)
    cement: bool = False
    screws: bool = False
    sacralised: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class DiscShape:
    """The disc below `above` (index into the vertebrae; the one below is `above + 1`, or the sacrum)."""

    above: int
    frame: Frame
    height_mm: float
    gas: bool = False
    ossified: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class VertebraTruth:
    """The truth of one vertebra; lengths in mm, points in LPS."""

    instance: int
    level: Level
    centre_lps_mm: np.ndarray
    shape: TrueShape
    expected: TrueShape
    """The same vertebra before it broke."""
    grade: Grade
    fracture: Shape | None
    loss: float
    ribs: tuple[bool, bool]
    mimics: tuple[Mimic, ...]
    trabecular_hu: float
    cement: bool = False
    screws: bool = False
    from_mask: bool = False
    """A real shape: level and centre hold, heights and grade are not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What a perfect reader would say; everything in it is simulated."""

    vertebrae: tuple[VertebraTruth, ...]
    variants: tuple[Variant, ...]
    mimics: tuple[Mimic, ...]
    sex: str
    age_years: float
    sacrum_lps_mm: np.ndarray
    simulated: bool = True
    shapes_sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The column's names from above."""
        return tuple(v.level for v in self.vertebrae)


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """A person: column from above, discs, sacrum's frame, the rest of the body, and the truth.

    `ribs` are polylines in LPS with the index of their vertebra and their side (-1 right, 1 left). World origin is
    the centre of the third lumbar body from above (before scoliosis).
    """

    vertebrae: tuple[VertebraShape, ...]
    discs: tuple[DiscShape, ...]
    sacrum: Frame
    sacrum_body: Body
    person: Person
    truth: Truth

    def extent_lps_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Low and high corner of a box from the base of the skull to the mid pelvis and the skin all around."""
        origins = np.array([v.frame.origin_lps_mm for v in self.vertebrae])
        wide = 200.0 * self.person.scale * self.person.girth
        low = np.array([-wide, origins[:, 1].min() - 190.0, self.sacrum.origin_lps_mm[2] - 170.0])
        high = np.array([wide, origins[:, 1].max() + 150.0, origins[0, 2] + 40.0])
        return low, high

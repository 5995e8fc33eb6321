"""The named column."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float64

from wirbel.spine.evidence import Part
from wirbel.spine.level import Level
from wirbel.volume import Grid, LabelMap


class NumberingStatus(StrEnum):
    """How far the names may be trusted."""

    NAMED = "named"
    """Anchors were seen and agree."""
    GIVEN = "given"
    """Names came with the input and do not contradict themselves."""
    SHIFTED = "shifted"
    """A reader moved all names (`--shift-levels`)."""
    RELATIVE = "relative"
    """Refused: labels are only V1, V2, ... from above; the reason is in `Numbering.reason`."""


class NumberingReason(StrEnum):
    """Why a column is not numbered."""

    NO_ANCHOR = "no_anchor"
    """Neither C2, the first rib, the last rib nor the sacrum is in view."""
    ANCHORS_DISAGREE = "anchors_disagree"
    """Ribs, sacrum and appearance speak for different numberings."""
    AMBIGUOUS = "ambiguous"
    """Two numberings are nearly equally probable."""
    TOO_FEW = "too_few"
    """Too few vertebrae to count."""


class Variant(StrEnum):
    """Numerical variants of the column."""

    T11_ONLY = "T11 only"
    T13 = "T13"
    L4_ONLY = "L4 only"
    L6 = "L6"


@dataclass(frozen=True, slots=True)
class Numbering:
    """The answer of the naming decoder for the whole column.

    `probability` belongs to the whole labelling; `runner_up` is the next best labelling (same length as the
    column) with `runner_up_probability`.
    """

    status: NumberingStatus
    probability: float | None
    runner_up: tuple[Level, ...] | None
    runner_up_probability: float | None
    variants: tuple[Variant, ...] = ()
    reason: NumberingReason | None = None
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Vertebra:
    """One vertebra of the column: `label` in the masks, `level` or None when numbering was refused."""

    label: int
    level: Level | None
    probability: float | None
    centre_lps_mm: Float64[np.ndarray, "3"]
    cut_by_border: bool
    score: float = 1.0

    @property
    def name(self) -> str:
        """`L1`, or `V3` (third from above) in a column with relative labels."""
        return self.level.name if self.level is not None else f"V{self.label}"


@dataclass(frozen=True, slots=True, eq=False)
class Spine:
    """The column: vertebrae from the head downward, their masks, and how they got their names."""

    vertebrae: tuple[Vertebra, ...]
    instances: LabelMap
    parts: LabelMap
    numbering: Numbering
    source: str

    @property
    def grid(self) -> Grid:
        """The masks' grid (canonical axes)."""
        return self.instances.grid

    def body_mask(self, vertebra: Vertebra) -> Bool[np.ndarray, "z y x"]:
        """Where the vertebra's body is."""
        return (self.instances.labels == vertebra.label) & (self.parts.labels == Part.BODY)

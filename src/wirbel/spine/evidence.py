"""What a segmenter sees: vertebrae as instances, and what speaks for each one's name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from wirbel.errors import GeometryError
from wirbel.spine.level import Level
from wirbel.volume import LabelMap, Volume


class Part(IntEnum):
    """What a voxel of `SpineEvidence.parts` is; 0 is none of these."""

    BODY = 1
    POSTERIOR = 2
    DISC = 3
    SACRUM = 4
    RIB = 5


@dataclass(frozen=True, slots=True, eq=False)
class VertebraEvidence:
    """One vertebra as seen, unnamed.

    `label` is its number in `SpineEvidence.instances` (1 = uppermost). `centre_lps_mm` is the centre of its
    body. `position` is the network's reading of the place along the column in `Level.rank` units
    (C1 = 1 ... S1 = 26), `position_sd` its spread. `rib_probability` is the probability that it carries a rib
    (None: not seen, for example because the field of view ends beside the column). `level_log_probability` holds
    an appearance opinion per level. `given` is a name that came with the input. `cut_by_border`: the body
    touches the edge of the volume. `score` is the detector's confidence in [0, 1].
    """

    label: int
    centre_lps_mm: Float64[np.ndarray, "3"]
    cut_by_border: bool
    score: float = 1.0
    position: float | None = None
    position_sd: float | None = None
    rib_probability: float | None = None
    level_log_probability: Mapping[Level, float] = field(default_factory=dict)
    given: Level | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SpineEvidence:
    """What a segmenter gives back.

    `instances`: 0 or the vertebra's label. `parts`: `Part` per voxel, on the same grid. `vertebrae` run from the
    head downward and cover every label in `instances`. `sacrum_below`: how sure it is (0..1) that the sacrum
    follows directly below the last vertebra; None where that cannot be seen. `skull_above` likewise for the
    first. `source` names the segmenter for the provenance.
    """

    instances: LabelMap
    parts: LabelMap
    vertebrae: tuple[VertebraEvidence, ...]
    sacrum_below: float | None
    skull_above: float | None
    source: str

    def __post_init__(self) -> None:
        if not self.instances.grid.same_as(self.parts.grid):
            raise GeometryError("instances and parts must share one grid")


@runtime_checkable
class Segmenter(Protocol):
    """Finds and segments vertebrae; names them later (`name_levels`)."""

    def __call__(self, ct: Volume, /) -> SpineEvidence:
        """Evidence on a canonical grid of its own choice (1 mm isotropic for the networks)."""
        ...

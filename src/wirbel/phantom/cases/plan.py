"""What is to be painted on one vertebra; the picture depends on the cause through this record alone."""

from dataclasses import dataclass

from wirbel.finding import Grade, Shape
from wirbel.phantom.implicit import unchecked


@unchecked
@dataclass(frozen=True, slots=True)
class Plan:
    """Signs of one vertebra, as drawn from the chances; shares in [0, 1], right before left.

    `cortex_destroyed`: share of the body's side, front and back walls. `lytic`, `sclerotic`: share of the body's
    spongiosa. `lesion_azimuth_deg`: where destruction sits, 0 front, 90 left, 180 back. `lesion_height`: -1 lower
    to 1 upper endplate. `lesion_edge_mm`: width of the lesion's margin (geographic to permeative). `bow_mm`: how
    far the posterior wall is pushed backward in its middle. `fragment_mm`, `fragment_deg`: how far a fragment of
    the posterior corner stands in the canal, and the angle of its lower face to the wall (steep = angular).
    `lines`: number of fracture lines through the cortex, `line_sharpness` 0 blurred to 1 sharp. `thickening_mm`:
    thin diffuse soft tissue around the body's front and sides. `density_mg_cm3`: trabecular.
    """

    shape: Shape | None = None
    grade: Grade = Grade.NONE
    cortex_destroyed: float = 0.0
    lytic: float = 0.0
    sclerotic: float = 0.0
    lesion_azimuth_deg: float = 150.0
    lesion_height: float = 0.0
    lesion_edge_mm: float = 1.0
    sclerosis_hu: float = 600.0
    pedicles_destroyed: tuple[float, float] = (0.0, 0.0)
    bow_mm: float = 0.0
    fragment_mm: float = 0.0
    fragment_deg: float = 0.0
    vacuum_mm3: float = 0.0
    epidural_mm3: float = 0.0
    paravertebral_mm3: float = 0.0
    mass_azimuth_deg: float = 100.0
    thickening_mm: float = 0.0
    lines: int = 0
    line_sharpness: float = 0.5
    density_mg_cm3: float = 100.0
    haemangioma: float = 0.0
    island_mm: float = 0.0
    cement: float = 0.0
    fatty: float = 0.0
    paget: float = 0.0
    discitis: float = 0.0

    @property
    def puzzle(self) -> bool:
        """Puzzle sign: at least two sharp lines through a cortex that is not destroyed (Laredo 1995)."""
        return self.lines >= 2 and self.line_sharpness > 0.6 and self.cortex_destroyed < 0.04

    @property
    def fractured(self) -> bool:
        """Whether the vertebra has lost height by a fracture."""
        return self.shape is not None

"""One vertebra against its references, sign by sign: the value, and where it was seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wirbel.finding.signs.canal import Canal, Occupied, narrowing_percent, occupied
from wirbel.finding.signs.contour import convexity_mm, corners_lps_mm, retropulsion_of
from wirbel.finding.signs.cortex import destruction_of, marks, usual_wall_hu
from wirbel.finding.signs.layer import Layer, layer_of
from wirbel.finding.signs.lines import Line, Sheets, line_of
from wirbel.finding.signs.marrow import Core, Gas, Share, gas_of, lytic_of, sclerotic_of
from wirbel.finding.signs.mass import Mass, mass_of
from wirbel.finding.signs.pedicle import Pedicles, involvement_of
from wirbel.finding.signs.plates import Plates, eroded_of
from wirbel.finding.signs.record import Sign, Signs, SignValues
from wirbel.finding.signs.settings import SignSettings
from wirbel.finding.signs.sketch import Sketch
from wirbel.vertebra import NotMeasured, Reason
from wirbel.volume import LabelMap, Volume


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """The references above and below a vertebra, both from the head downward."""

    above: tuple[Sketch, ...]
    below: tuple[Sketch, ...]


#: Value and place by sign.
Found = dict[Sign, tuple[float | NotMeasured, LabelMap | None]]
#: Signs that ask for thin slices.
FINE = (
    Sign.CONVEXITY,
    Sign.RETROPULSION,
    Sign.RETROPULSION_ANGLE,
    Sign.CANAL,
    Sign.EPIDURAL,
    Sign.PEDICLE_LEFT,
    Sign.PEDICLE_RIGHT,
    Sign.LINE_AREA,
    Sign.LINE_SHARPNESS,
    Sign.ENDPLATES,
)


def too_coarse(coarse_mm: float) -> Found:
    """The blanks of the signs that ask for thin slices."""
    why = NotMeasured(Reason.TOO_COARSE, f"slices of {coarse_mm:.1f} mm")
    return dict.fromkeys(FINE, (why, None))


class Against:
    """One vertebra against its references, sign by sign: the value and where it was seen."""

    def __init__(
        self, ct: Volume, settings: SignSettings, own: Sketch, sides: Sides, plates: Plates
    ) -> None:
        self.ct, self.settings, self.own, self.sides, self.plates = ct, settings, own, sides, plates
        self.others = [*sides.above, *sides.below]

    def cortex(self) -> Found:
        """Cortical destruction."""
        own, s = self.own, self.settings.cortex
        lost = destruction_of(own.walls, own.crest, [o.crest for o in self.others], s)
        if isinstance(lost, NotMeasured):
            return {Sign.CORTEX: (lost, None), Sign.POSTERIOR_CORTEX: (lost, None)}
        back = lost.places & own.walls.posterior[None, :]
        return {
            Sign.CORTEX: (lost.fraction, own.patch.marked(marks(own.patch, own.walls, lost.places))),
            Sign.POSTERIOR_CORTEX: (lost.posterior_fraction, own.patch.marked(marks(own.patch, own.walls, back))),
        }

    def contour(self) -> Found:
        """The posterior contour."""
        own, s = self.own, self.settings.contour
        if isinstance(own.wall, NotMeasured):
            signs = (Sign.CONVEXITY, Sign.RETROPULSION, Sign.RETROPULSION_ANGLE)
            return dict.fromkeys(signs, (own.wall, None))
        corners = [
            [corners_lps_mm(o.patch, o.wall, s) for o in side if not isinstance(o.wall, NotMeasured)]
            for side in (self.sides.above, self.sides.below)
        ]
        pushed = retropulsion_of(own.patch, own.wall, corners[0][-2:], corners[1][:2], s)
        wall = _wall_mark(own)
        convex = (convexity_mm(own.wall, s), wall)
        if isinstance(pushed, NotMeasured):
            return {
                Sign.CONVEXITY: convex,
                Sign.RETROPULSION: (pushed, None),
                Sign.RETROPULSION_ANGLE: (pushed, None),
            }
        return {
            Sign.CONVEXITY: convex,
            Sign.RETROPULSION: (pushed.mm, wall),
            Sign.RETROPULSION_ANGLE: (pushed.angle_deg, None),
        }

    def canal(self) -> Found:
        """The canal, what fills it, and the pedicles beside it."""
        own, s = self.own, self.settings
        signs = (Sign.CANAL, Sign.EPIDURAL, Sign.PEDICLE_LEFT, Sign.PEDICLE_RIGHT)
        layer = self._layer()
        if isinstance(own.canal, NotMeasured) or isinstance(own.pedicles, NotMeasured):
            blank = own.canal if isinstance(own.canal, NotMeasured) else own.pedicles
            blanks: Found = {sign: (blank, None) for sign in signs if isinstance(blank, NotMeasured)}
            if layer is not None:  # the wall is seen where the ring is open
                blanks[Sign.EPIDURAL] = (layer.mm3, own.patch.marked(layer.where))
            return blanks
        canals = [o.canal for o in self.others if isinstance(o.canal, Canal)]
        filled: Occupied = occupied(own.patch, own.canal, canals, s.canal)
        above, below = (_first_canal(side) for side in (self.sides.above[::-1], self.sides.below))
        narrowing = narrowing_percent(own.canal, filled, above, below)
        others = [o.pedicles for o in self.others if isinstance(o.pedicles, Pedicles)]
        sides = involvement_of(own.pedicles, others, s.pedicle)
        right, left = own.pedicles.slabs
        return {
            Sign.CANAL: (narrowing, own.patch.marked(own.canal.lumen)),
            Sign.EPIDURAL: _larger(own, filled, layer),
            Sign.PEDICLE_RIGHT: (sides.right, own.patch.marked(right) if _seen(sides.right) else None),
            Sign.PEDICLE_LEFT: (sides.left, own.patch.marked(left) if _seen(sides.left) else None),
        }

    def _layer(self) -> Layer | None:
        own = self.own
        if isinstance(own.wall, NotMeasured):
            return None
        walls = [(o.patch, o.wall) for o in self.others if not isinstance(o.wall, NotMeasured)]
        return layer_of(own.patch, own.wall, walls, self.settings.canal)

    def inside(self) -> Found:
        """Gas, lytic and sclerotic shares."""
        own, s = self.own, self.settings.marrow
        if isinstance(own.core, NotMeasured):
            return dict.fromkeys((Sign.VACUUM, Sign.LYTIC, Sign.SCLEROTIC), (own.core, None))
        cores = [o.core for o in self.others if isinstance(o.core, Core)]
        gas: Gas = gas_of(own.patch, own.core, s)
        found: Found = {Sign.VACUUM: (gas.mm3, own.patch.marked(gas.where))}
        for sign, share in (
            (Sign.LYTIC, lytic_of(own.core, cores, s)),
            (Sign.SCLEROTIC, sclerotic_of(own.core, cores, s)),
        ):
            if isinstance(share, Share):
                found[sign] = (share.fraction, own.patch.marked(share.where))
            else:
                found[sign] = (share, None)
        return found

    def lines(self) -> Found:
        """Fracture lines."""
        own, s = self.own, self.settings
        line: Line | NotMeasured
        if isinstance(own.sheets, NotMeasured):
            line = own.sheets
        else:
            sheets = [o.sheets for o in self.others if isinstance(o.sheets, Sheets)]
            line = line_of(self.ct, own.patch, own.sheets, sheets, s.line)
        if isinstance(line, NotMeasured):
            return {Sign.LINE_AREA: (line, None), Sign.LINE_SHARPNESS: (line, None)}
        return {
            Sign.LINE_AREA: (line.area_mm2, own.patch.marked(line.where)),
            Sign.LINE_SHARPNESS: (line.sharpness_hu_per_mm, None),
        }

    def endplates(self) -> Found:
        """Endplates eroded on both sides of a disc."""
        own = self.own
        wall_hu = usual_wall_hu(own.crest, [o.crest for o in self.others])
        eroded = eroded_of(own.patch, self.plates, wall_hu, self.settings.plate)
        if isinstance(eroded, NotMeasured):
            return {Sign.ENDPLATES: (eroded, None)}
        return {Sign.ENDPLATES: (eroded.fraction, own.patch.marked(eroded.where))}

    def fine(self) -> Found:
        """All that asks for thin slices."""
        return {**self.contour(), **self.canal(), **self.lines(), **self.endplates()}

    def around(self) -> Found:
        """Soft tissue around the body."""
        own = self.own
        near = [*self.sides.above[-1:], *self.sides.below[:1]]
        mass: Mass | NotMeasured = mass_of(
            self.ct, own.patch, own.walls, own.shell, [o.shell for o in near], self.settings.mass
        )
        signs = (Sign.PARAVERTEBRAL, Sign.PARAVERTEBRAL_THICKNESS, Sign.PARAVERTEBRAL_SPREAD)
        if isinstance(mass, NotMeasured):
            return dict.fromkeys(signs, (mass, None))
        return {
            Sign.PARAVERTEBRAL: (mass.mm3, own.patch.marked(mass.where)),
            Sign.PARAVERTEBRAL_THICKNESS: (mass.thickness_mm, None),
            Sign.PARAVERTEBRAL_SPREAD: (mass.spread_fraction, None),
        }


def compared(
    parts: Against,
    density: tuple[float | NotMeasured, float | NotMeasured],
    coarse_mm: float,
    references: tuple[int, ...],
) -> Signs:
    """All signs of one vertebra; `density` is its own, and its difference to the references."""
    coarse = coarse_mm > parts.settings.coarsest_fine_mm
    found = {
        **parts.cortex(),
        **(too_coarse(coarse_mm) if coarse else parts.fine()),
        **parts.inside(),
        **parts.around(),
        Sign.DENSITY: (density[0], None),
        Sign.DENSITY_DIFFERENCE: (density[1], None),
    }
    return Signs(
        parts.own.patch.label,
        SignValues(**{sign.value: found[sign][0] for sign in Sign}),
        references,
        {sign: mark for sign, (_, mark) in found.items() if mark is not None},
    )


def _larger(own: Sketch, filled: Occupied, layer: Layer | None) -> tuple[float | NotMeasured, LabelMap | None]:
    """An epidural mass as the canal's content shows it, or as a layer on the wall, whichever is more."""
    if layer is None or (not isinstance(filled.mass_mm3, NotMeasured) and filled.mass_mm3 >= layer.mm3):
        return filled.mass_mm3, own.patch.marked(filled.where)
    return layer.mm3, own.patch.marked(layer.where | filled.where)


def _first_canal(sketches: Sequence[Sketch]) -> Canal | None:
    """The first canal that is known."""
    return next((o.canal for o in sketches if isinstance(o.canal, Canal)), None)


def _seen(value: float | NotMeasured) -> bool:
    return not isinstance(value, NotMeasured) and value > 0.0


def _wall_mark(own: Sketch) -> LabelMap | None:
    """The posterior wall's outline as voxels."""
    if isinstance(own.wall, NotMeasured):
        return None
    wall, patch = own.wall, own.patch
    where = np.zeros(patch.grid.shape, dtype=bool)
    s = np.rint(wall.up_mm - patch.up_mm[0]).astype(int)
    p = np.rint(wall.back_mm - patch.posterior_mm[0]).astype(int)
    left = np.broadcast_to(np.rint(wall.left_mm - patch.left_mm[0]).astype(int)[:, None], s.shape)
    inside = (s >= 0) & (s < where.shape[0]) & (p >= 0) & (p < where.shape[1])
    where[s[inside], p[inside], left[inside]] = True
    return patch.marked(where)

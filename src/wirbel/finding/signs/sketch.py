"""All that is read of one vertebra on its own, before it is compared with its references."""

from dataclasses import dataclass

import numpy as np

from wirbel.finding.signs.canal import Canal, canal_of
from wirbel.finding.signs.contour import PosteriorWall, posterior_wall
from wirbel.finding.signs.cortex import Crest, crest_of
from wirbel.finding.signs.lines import Sheets, sheets_of
from wirbel.finding.signs.marrow import Core, core_of
from wirbel.finding.signs.mass import Shell, shell_of
from wirbel.finding.signs.patch import Patch
from wirbel.finding.signs.pedicle import Pedicles, pedicles_of
from wirbel.finding.signs.settings import SignSettings
from wirbel.finding.signs.walls import Walls, walls_of
from wirbel.vertebra import NotMeasured, Reason
from wirbel.volume import Volume

#: Foreign material is looked for this far from the frame's origin, mm.
NEAR_MM = 35.0


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """One vertebra's own readings; `foreign`: cement or metal in or beside it."""

    patch: Patch
    walls: Walls
    crest: Crest
    wall: PosteriorWall | NotMeasured
    canal: Canal | NotMeasured
    pedicles: Pedicles | NotMeasured
    core: Core | NotMeasured
    sheets: Sheets | NotMeasured
    shell: Shell
    foreign: NotMeasured | None


def sketch_of(ct: Volume, patch: Patch, settings: SignSettings) -> Sketch:
    """The readings of one vertebra."""
    walls = walls_of(patch, settings.cortex.dent_mm)
    canal = canal_of(patch, settings.canal)
    return Sketch(
        patch,
        walls,
        crest_of(ct, walls, settings.cortex),
        posterior_wall(ct, patch, settings.contour),
        canal,
        canal if isinstance(canal, NotMeasured) else pedicles_of(patch, canal, settings.pedicle),
        core_of(patch, settings.marrow),
        sheets_of(patch, settings.line),
        shell_of(ct, walls, settings.mass),
        _foreign(patch, settings),
    )


def _foreign(patch: Patch, settings: SignSettings) -> NotMeasured | None:
    """Metal in or near the vertebra, or cement inside the body."""
    near = (
        (np.abs(patch.up_mm) <= NEAR_MM)[:, None, None]
        & (np.abs(patch.posterior_mm) <= NEAR_MM + 10.0)[None, :, None]
        & (np.abs(patch.left_mm) <= NEAR_MM)[None, None, :]
    )
    metal_mm3 = float((near & (patch.hu > settings.metal_hu)).sum())
    if metal_mm3 > settings.most_metal_mm3:
        return NotMeasured(Reason.METAL, f"{metal_mm3:.0f} mm3 above {settings.metal_hu:.0f} HU")
    body = int(patch.body.sum())
    cement = float((patch.body & (patch.hu > settings.cement_hu)).sum()) / max(1, body)
    if cement > settings.most_cement:
        return NotMeasured(Reason.CEMENT, f"{100 * cement:.0f} % of the body above {settings.cement_hu:.0f} HU")
    return None

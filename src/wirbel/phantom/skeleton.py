"""All bones of a person as solids in the world, made once for each person."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from wirbel.phantom.anatomy import Anatomy, VertebraShape
from wirbel.phantom.body import Body, body_depth
from wirbel.phantom.girdles import femur_solids, pelvis_solids, sacrum_solids, shoulder_solids
from wirbel.phantom.implicit import Frame, Solid, placed
from wirbel.phantom.posterior import posterior_elements
from wirbel.phantom.ribs import rib_ends, rib_paths, rib_solids, sternum_and_cartilages
from wirbel.phantom.spurs import growths
from wirbel.phantom.tissue import Tissue
from wirbel.phantom.torso import trunk_of
from wirbel.spine import Level, Part


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A solid with what it is made of, its `Part`, and the joint's distance that it keeps (None: fuses)."""

    solid: Solid
    tissue: Tissue
    part: int = 0
    gap_mm: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VertebraSolids:
    """One vertebra's solids in the world: those of the body (C1: its front arch) and those behind it."""

    shape: VertebraShape
    body: tuple[Solid, ...]
    posterior: tuple[Solid, ...]

    @property
    def instance(self) -> int:
        """The vertebra's number from above."""
        return self.shape.instance


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """Bones in drawing order: vertebrae first; the cartilages lie under everything."""

    vertebrae: tuple[VertebraSolids, ...]
    pieces: tuple[Piece, ...]
    cartilages: tuple[Piece, ...]


@lru_cache(maxsize=4)
def skeleton_of(anatomy: Anatomy) -> Skeleton:
    """The person's bones; kept for the persons drawn last, since patches are drawn one by one."""
    trunk, scale = trunk_of(anatomy), anatomy.person.scale
    paths = rib_paths(anatomy, trunk)
    sternum, cartilages = sternum_and_cartilages(paths, trunk, scale)
    sacrum = [*sacrum_solids(anatomy), body_solid(anatomy.sacrum_body, anatomy.sacrum)]
    out = [Piece(s, Tissue.SACRUM, Part.SACRUM, 1.0) for s in sacrum[:1]]
    out += [Piece(s, Tissue.SACRUM, Part.SACRUM) for s in sacrum[1:]]
    ribs = [s for path in paths for s in rib_solids(path, scale)] + rib_ends(paths)
    out += [Piece(s, Tissue.RIB, Part.RIB) for s in ribs]
    out += [Piece(s, Tissue.FEMUR) for s in femur_solids(anatomy)]
    out += [Piece(s, Tissue.PELVIS) for s in pelvis_solids(anatomy)]
    out += [Piece(s, Tissue.STERNUM) for s in sternum]
    if sternum:
        girdle, arms = shoulder_solids(anatomy, sternum[0].frame.origin_lps_mm)
        out += [Piece(s, Tissue.SHOULDER) for s in girdle]
        out += [Piece(s, Tissue.ARM_BONE) for s in arms]
    return Skeleton(
        tuple(vertebra_solids(anatomy, i) for i in range(len(anatomy.vertebrae))),
        tuple(out),
        tuple(Piece(s, Tissue.COSTAL_CARTILAGE) for s in cartilages),
    )


def vertebra_solids(anatomy: Anatomy, i: int) -> VertebraSolids:
    """One vertebra: its body with what grows on it, and its processes and arch."""
    v = anatomy.vertebrae[i]
    body: list[Solid] = [] if v.level is Level.C1 else [body_solid(v.body, v.frame)]
    body += growths(anatomy, i)
    posterior: list[Solid] = []
    for solid in posterior_elements(v):
        x, y, _ = solid.frame.origin_lps_mm
        dens = v.level is Level.C2 and abs(x) < 8.0 and y < 3.0
        arch = v.level is Level.C1 and y < -2.0
        (body if dens or arch else posterior).append(placed(solid, v.frame))
    return VertebraSolids(v, tuple(body), tuple(posterior))


def body_solid(body: Body, frame: Frame) -> Solid:
    """A vertebral body in the world."""
    wide = 0.62 * max(body.width_superior_mm, body.width_inferior_mm) + body.bulge
    reach = np.array([wide, 0.65 * body.depth_mm + 2 + body.bulge, body.half_height_mm + 6.0])
    return Solid(frame, -reach, reach, partial(body_depth, body))

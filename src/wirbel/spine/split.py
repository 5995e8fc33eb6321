"""Whole vertebrae into body and posterior elements, by geometry alone.

Seen along the column a vertebra is a ring: the hole is the canal. What lies in front of the canal between the
pedicles is body without doubt; beside the canal the pedicles are cut in the plane of the posterior wall, and thin
processes on the flanks (costal, transverse) are taken off by an opening.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from wirbel.spine.canal import Canal, canal_seen_along, is_solid, middle_canal, silhouette
from wirbel.spine.evidence import Part
from wirbel.spine.frame import POSTERIOR_LPS, ColumnFrame, frame_at, up_along
from wirbel.volume import Grid, LabelMap, freeze


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """Sizes in mm; tuned on the sub-region masks of VerSe 2020 (`benchmarks/split_of_masks.py`)."""

    behind_wall_mm: float = 1.5
    """The cut through the pedicles lies this far behind the posterior wall."""
    wall_slack_mm: float = 1.0
    """... but nowhere further behind the canal's front edge, as seen along the column, than this."""
    front_share: float = 0.6
    """The body's width is taken from the front part of its depth; pedicles and processes spring from the rest."""
    beside_mm: float = 2.0
    """The hind part may be wider than the front part by this much on each side."""
    opening_mm: float = 5.0
    """Processes thinner than twice this are taken off the body's flanks."""
    back_mm: float = 3.0
    """Rims that the opening rounded off are given back up to this far."""
    smallest_body: float = 0.05
    """A body smaller than this share of the median one is none: only the arch is in the field of view."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """`parts` on the instances' grid; `centres_lps_mm` of the bodies by label (none for a label without body)."""

    parts: LabelMap
    centres_lps_mm: dict[int, Float64[np.ndarray, "3"]]


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One instance: its window in the grid, its mask there, and its voxels in LPS mm."""

    label: int
    box: tuple[slice, ...]
    mask: Bool[np.ndarray, "z y x"]
    points_lps_mm: Float64[np.ndarray, "n 3"]


def split_body_and_posterior(instances: LabelMap, *, settings: SplitSettings | None = None) -> Split:
    """Body and posterior elements of each instance, on a canonical isotropic grid of about 1 mm.

    Masks that hold bodies only stay bodies. A vertebra without a closed ring (arch cut by the border, a
    laminectomy) takes the canal's place from its neighbours.
    """
    settings = settings or SplitSettings()
    pieces = _pieces(instances)
    if not pieces:
        return Split(LabelMap(instances.grid, freeze(np.zeros(instances.grid.shape, dtype=np.uint8))), {})
    whole = np.array([piece.points_lps_mm.mean(axis=0) for piece in pieces])
    solid = [is_solid(silhouette(frame_at(c, u, POSTERIOR_LPS).local_mm(p.points_lps_mm)))
             for p, c, u in zip(pieces, whole, up_along(whole), strict=True)]
    bodies = [p.mask for p in pieces] if np.mean(solid) > 0.5 else _bodies(pieces, whole, instances.grid, settings)
    return _painted(instances, pieces, bodies, settings)


def _pieces(instances: LabelMap) -> list[_Piece]:
    """Instances from the head downward."""
    pieces = []
    for label, box in enumerate(ndimage.find_objects(instances.labels), start=1):
        if box is None:
            continue
        mask = instances.labels[box] == label
        index = np.argwhere(mask) + [s.start for s in box]
        pieces.append(_Piece(label, box, mask, instances.grid.to_lps_mm(index.astype(np.float64))))
    return sorted(pieces, key=lambda piece: -float(piece.points_lps_mm[:, 2].mean()))


def _bodies(
    pieces: list[_Piece], whole_lps_mm: Float64[np.ndarray, "n 3"], grid: Grid, settings: SplitSettings
) -> list[np.ndarray]:
    """Twice: seen along the line of the whole vertebrae's centres, then along that of the bodies found so."""
    centres = whole_lps_mm
    back = np.tile(POSTERIOR_LPS, (len(pieces), 1))
    bodies: list[np.ndarray] = []
    for _ in range(2):
        up = up_along(centres)
        frames = [frame_at(w, u, b) for w, u, b in zip(whole_lps_mm, up, back, strict=True)]
        seen = [canal_seen_along(f.local_mm(p.points_lps_mm)) for p, f in zip(pieces, frames, strict=True)]
        middle = middle_canal([canal for canal in seen if canal is not None])
        bodies = [
            _body(piece, frame, canal or middle, grid, settings)
            for piece, frame, canal in zip(pieces, frames, seen, strict=True)
        ]
        centres = np.array([_centre(p, b, grid) for p, b in zip(pieces, bodies, strict=True)])
        for i, (frame, canal) in enumerate(zip(frames, seen, strict=True)):
            if canal is not None:
                middle_lps = frame.lps_mm(np.array([[0.0, canal.posterior_mm, canal.left_mm]]))[0]
                back[i] = middle_lps - centres[i]
    return bodies


def _body(
    piece: _Piece, frame: ColumnFrame, canal: Canal, grid: Grid, settings: SplitSettings
) -> Bool[np.ndarray, "z y x"]:
    """The body's voxels in the piece's window."""
    up, posterior, left = frame.local_mm(piece.points_lps_mm).T
    beside = np.abs(left - canal.left_mm)
    between = (beside < 0.6 * canal.half_width_mm) & (posterior < canal.posterior_mm)
    wall = _wall(up[between], posterior[between], canal)
    cut = np.minimum(wall[0] + wall[1] * up, canal.front_mm + settings.wall_slack_mm) + settings.behind_wall_mm
    inside = between | ((posterior < cut) & _not_beside(posterior, left, between, canal, settings))
    candidate = np.zeros(piece.mask.shape, dtype=bool)
    candidate[piece.mask] = inside
    spacing = float(np.mean(grid.spacing_mm))
    box = ndimage.find_objects(candidate.astype(np.uint8))
    near = np.zeros_like(candidate)
    if box and box[0] is not None:  # nothing of the answer lies outside the candidate's own window
        opened = _opened(candidate[box[0]], settings.opening_mm / spacing)
        far = ndimage.distance_transform_edt(~opened) * spacing if opened.any() else np.inf
        near[box[0]] = far <= settings.back_mm
    certain = np.zeros(piece.mask.shape, dtype=bool)
    certain[piece.mask] = between
    return candidate & (near | certain)


def _not_beside(
    posterior: np.ndarray, left: np.ndarray, between: np.ndarray, canal: Canal, settings: SplitSettings
) -> np.ndarray:
    """False for what lies beside the body: the roots of transverse processes and the sacral alae of a fused L5."""
    if between.sum() < 50:
        return np.ones(len(left), dtype=bool)
    front, wall = np.percentile(posterior[between], 1.0), canal.front_mm
    ahead = posterior < front + settings.front_share * (wall - front)
    if ahead.sum() < 50:
        return np.ones(len(left), dtype=bool)
    right_edge, left_edge = np.percentile(left[ahead], (0.5, 99.5))
    return ahead | ((left > right_edge - settings.beside_mm) & (left < left_edge + settings.beside_mm))


def _wall(up: np.ndarray, posterior: np.ndarray, canal: Canal) -> tuple[float, float]:
    """The posterior wall in the midline as a line, posterior = a + b * up: its a and b."""
    if up.size < 50:
        return canal.front_mm, 0.0
    rows = np.round(up).astype(int)
    levels = np.unique(rows)
    hind = np.array([posterior[rows == row].max() for row in levels])
    solid = hind > np.median(hind) - 6.0
    if solid.sum() < 6:
        return canal.front_mm, 0.0
    slope = float(np.clip(np.polyfit(levels[solid], hind[solid], 1)[0], -0.5, 0.5))
    return float(np.median(hind[solid] - slope * levels[solid])), slope


def _opened(mask: np.ndarray, radius_voxel: float) -> np.ndarray:
    """Opening with a ball by distances, as if nothing ended at the window."""
    padded = np.pad(mask, 2)
    core = ndimage.distance_transform_edt(padded) > radius_voxel
    if not core.any():
        return mask
    grown = ndimage.distance_transform_edt(~core) <= radius_voxel
    return (grown & padded)[2:-2, 2:-2, 2:-2]


def _centre(piece: _Piece, body: np.ndarray, grid: Grid) -> Float64[np.ndarray, "3"]:
    """The body's centroid; that of the whole where no body was found."""
    index = np.argwhere(body)
    if not len(index):
        return np.asarray(piece.points_lps_mm.mean(axis=0))
    return np.asarray(grid.to_lps_mm(index + np.array([s.start for s in piece.box], dtype=np.float64)).mean(axis=0))


def _painted(
    instances: LabelMap, pieces: list[_Piece], bodies: list[np.ndarray], settings: SplitSettings
) -> Split:
    parts = np.zeros(instances.grid.shape, dtype=np.uint8)
    enough = settings.smallest_body * float(np.median([body.sum() for body in bodies]))
    centres = {}
    for piece, body in zip(pieces, bodies, strict=True):
        window = parts[piece.box]
        window[piece.mask] = Part.POSTERIOR
        if body.sum() > enough:
            window[body] = Part.BODY
            centres[piece.label] = _centre(piece, body, instances.grid)
    return Split(LabelMap(instances.grid, freeze(parts)), centres)

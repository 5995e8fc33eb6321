"""The truth of a simulated study as plain data: JSON, centroids, label numbers."""

import numpy as np

from wirbel.phantom.anatomy import Truth, VertebraTruth
from wirbel.phantom.rasterise import PhantomLabels
from wirbel.phantom.sixpoints import TrueShape
from wirbel.spine import Level, Part
from wirbel.volume import Grid


def truth_as_plain(truth: Truth, *, seed: int, scanner: str, phase: str, grid: Grid) -> dict[str, object]:
    """Everything a perfect reader would say, for JSON; lengths in mm, points in LPS."""
    return {
        "simulated": True,
        "note": "simulated data of the wirbel phantom; research use only",
        "seed": seed,
        "scanner": scanner,
        "contrast_phase": phase,
        "frame": "LPS mm",
        "sex": truth.sex,
        "age_years": round(truth.age_years, 1),
        "variants": [v.value for v in truth.variants],
        "mimics": [m.value for m in truth.mimics],
        "shapes_sha256": dict(truth.shapes_sha256),
        "sacrum_lps_mm": _rounded(truth.sacrum_lps_mm),
        "vertebrae": [_vertebra(v, grid) for v in truth.vertebrae],
    }


def centroids_as_plain(truth: Truth, grid: Grid) -> list[dict[str, object]]:
    """Centroids of the bodies in view, as VerSe's files have them, but with world points in LPS mm."""
    out: list[dict[str, object]] = [{"simulated": True, "frame": "LPS mm"}]
    for v in truth.vertebrae:
        if _in_view(v.centre_lps_mm, grid):
            x, y, z = _rounded(v.centre_lps_mm)
            out.append({"label": int(v.level), "name": v.level.name, "X": x, "Y": y, "Z": z})
    return out


def named_labels(labels: PhantomLabels, truth: Truth) -> np.ndarray:
    """Whole vertebrae by VerSe number, sacrum 26."""
    table = np.zeros(256, np.uint8)
    for v in truth.vertebrae:
        table[v.instance] = int(v.level)
    out = table[labels.instances]
    out[labels.parts == Part.SACRUM] = int(Level.S1)
    return out


def _vertebra(v: VertebraTruth, grid: Grid) -> dict[str, object]:
    known = {} if v.from_mask else _measured(v)
    return {
        "instance": v.instance,
        "level": v.level.name,
        "verse_number": int(v.level),
        "in_view": _in_view(v.centre_lps_mm, grid),
        "from_mask": v.from_mask,
        "centre_lps_mm": _rounded(v.centre_lps_mm),
        "ribs_right_left": list(v.ribs),
        **known,
    }


def _measured(v: VertebraTruth) -> dict[str, object]:
    """What is known of drawn vertebrae only."""
    return {
        "heights_mm": _heights(v.shape),
        "expected_heights_mm": _heights(v.expected),
        "depth_mm": round(v.shape.depth_mm, 2),
        "wedge_deg": round(v.shape.wedge_deg, 2),
        "loss": round(v.loss, 4),
        "genant_grade": int(v.grade),
        "shape": v.fracture.value if v.fracture else None,
        "mimics": [m.value for m in v.mimics],
        "trabecular_hu": round(v.trabecular_hu, 1),
        "cement": v.cement,
        "screws": v.screws,
    }


def _heights(shape: TrueShape) -> dict[str, float]:
    h = shape.heights
    return {
        "anterior": round(h.anterior_mm, 2),
        "middle": round(h.middle_mm, 2),
        "posterior": round(h.posterior_mm, 2),
    }


def _in_view(point_lps_mm: np.ndarray, grid: Grid) -> bool:
    index = grid.to_voxel(np.asarray(point_lps_mm, float)[None])[0]
    return bool(np.all(index > -0.5) and np.all(index < np.array(grid.shape) - 0.5))


def _rounded(point: np.ndarray) -> list[float]:
    return [round(float(v), 2) for v in point]

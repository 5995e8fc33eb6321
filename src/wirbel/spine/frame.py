"""Rough frames along the column: up, posterior and left at each vertebra, from centres alone."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

POSTERIOR_LPS = np.array([0.0, 1.0, 0.0])
UP_LPS = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class ColumnFrame:
    """A right place to look from: `axes` rows are up, posterior, left (unit, orthogonal), at `origin_lps_mm`."""

    origin_lps_mm: Float64[np.ndarray, "3"]
    axes: Float64[np.ndarray, "3 3"]

    def local_mm(self, points_lps_mm: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
        """Points as (up, posterior, left) in mm from the origin."""
        return (points_lps_mm - self.origin_lps_mm) @ self.axes.T

    def lps_mm(self, local_mm: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
        """The way back."""
        return local_mm @ self.axes + self.origin_lps_mm


def frame_at(
    origin_lps_mm: Float64[np.ndarray, "3"],
    up_lps: Float64[np.ndarray, "3"],
    posterior_lps: Float64[np.ndarray, "3"],
) -> ColumnFrame:
    """The frame with `up` kept and `posterior` made perpendicular to it."""
    up = up_lps / np.linalg.norm(up_lps)
    posterior = posterior_lps - (posterior_lps @ up) * up
    posterior = posterior / np.linalg.norm(posterior)
    axes = np.stack([up, posterior, np.cross(posterior, up)])
    return ColumnFrame(np.asarray(origin_lps_mm, dtype=np.float64), axes)


def up_along(centres_lps_mm: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
    """Unit tangents toward the head at centres ordered from above; straight up for a single one."""
    if len(centres_lps_mm) < 2:
        return np.tile(UP_LPS, (len(centres_lps_mm), 1))
    padded = np.concatenate([centres_lps_mm[:1], centres_lps_mm, centres_lps_mm[-1:]])
    tangent = padded[:-2] - padded[2:]
    return np.asarray(tangent / np.linalg.norm(tangent, axis=1, keepdims=True))

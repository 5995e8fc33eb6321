"""Grids, CT volumes and label maps in DICOM LPS millimetres."""

from wirbel.volume.grid import Grid
from wirbel.volume.volume import LabelMap, Volume, freeze

__all__ = ["Grid", "LabelMap", "Volume", "freeze"]

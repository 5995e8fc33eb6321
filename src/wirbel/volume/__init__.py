"""Grids, CT volumes and label maps in DICOM LPS millimetres."""

from wirbel.volume.acquisition import Acquisition, Kernel, Plane
from wirbel.volume.grid import Grid
from wirbel.volume.volume import LabelMap, Volume, freeze

__all__ = ["Acquisition", "Grid", "Kernel", "LabelMap", "Plane", "Volume", "freeze"]

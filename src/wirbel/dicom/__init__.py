"""Reading and writing DICOM objects, for every room."""

from wirbel.dicom.uids import derived_uid
from wirbel.dicom.write_ct import CtAttributes, Syntax, tilted_grid, write_ct_series

__all__ = ["CtAttributes", "Syntax", "derived_uid", "tilted_grid", "write_ct_series"]

"""Lesions and fractures set into real vertebrae: donors, warp, repaint, sham."""

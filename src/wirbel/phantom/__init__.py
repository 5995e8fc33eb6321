"""Drawn CTs with known truth."""

from wirbel.phantom.anatomy import Anatomy, Truth, VertebraTruth
from wirbel.phantom.appearance import Look, domain_look, draw_appearance, realistic_look
from wirbel.phantom.around_masks import Around, MaskColumn, draw_around, labels_around, prepare_masks
from wirbel.phantom.draw import draw_anatomy
from wirbel.phantom.rasterise import PhantomLabels, rasterise, whole_grid
from wirbel.phantom.scanner import Scanner, random_scanner, scan
from wirbel.phantom.settings import AnatomySettings, ArmPose, Mimic
from wirbel.phantom.tissue import Tissue

__all__ = [
    "Anatomy",
    "AnatomySettings",
    "ArmPose",
    "Around",
    "Look",
    "MaskColumn",
    "Mimic",
    "PhantomLabels",
    "Scanner",
    "Tissue",
    "Truth",
    "VertebraTruth",
    "domain_look",
    "draw_anatomy",
    "draw_appearance",
    "draw_around",
    "labels_around",
    "prepare_masks",
    "random_scanner",
    "rasterise",
    "realistic_look",
    "scan",
    "whole_grid",
]

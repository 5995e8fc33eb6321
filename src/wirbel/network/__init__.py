"""Bundles and their inference on ONNX Runtime."""

from wirbel.network.bundle import Bundle, load_bundle, shipped_bundles
from wirbel.network.segmenter import NetworkSegmenter, NetworkSettings, load_spine_segmenter

__all__ = [
    "Bundle",
    "NetworkSegmenter",
    "NetworkSettings",
    "load_bundle",
    "load_spine_segmenter",
    "shipped_bundles",
]

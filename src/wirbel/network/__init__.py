"""Bundles and their inference on ONNX Runtime."""

"""One ONNX network ready to run, on ONNX Runtime or (extra) OpenVINO."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from wirbel.errors import ModelError, require

Backend = Literal["onnxruntime", "openvino"]
Image = Float32[np.ndarray, "c z y x"]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """`run` takes one image (channels, z, y, x) and gives back its dense and its coarse logits."""

    run: Callable[[Image], tuple[Float32[np.ndarray, "d z y x"], Float32[np.ndarray, "k _ _ _"]]]
    backend: Backend


def open_network(path: Path, *, backend: Backend = "onnxruntime", threads: int | None = None) -> Network:
    """Load an ONNX file; `ModelError` when it cannot be loaded."""
    return _on_openvino(path, threads) if backend == "openvino" else _on_onnxruntime(path, threads)


def onnx_session(path: Path, *, threads: int | None = None, keeps_memory: bool = False) -> Any:
    """An `onnxruntime.InferenceSession`; `ModelError` when the file cannot be loaded.

    `keeps_memory` is faster where many inputs of one size follow each other, and holds what the largest one needed.
    """
    import onnxruntime as ort  # noqa: PLC0415  # 0.1 s: only who analyses pays it

    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.enable_mem_pattern = keeps_memory
    options.enable_cpu_mem_arena = keeps_memory
    if threads:
        options.intra_op_num_threads = threads
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except runtime_errors() as exc:
        raise ModelError(f"{path.name} cannot be loaded: {type(exc).__name__}") from exc


def runtime_errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: types of its own, which share no base, and Python's for inputs that do not fit."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # noqa: PLC0415  # loaded with the runtime

    own = (kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception))
    return (*own, RuntimeError, ValueError)


def _on_onnxruntime(path: Path, threads: int | None) -> Network:
    session = onnx_session(path, threads=threads)
    name = session.get_inputs()[0].name

    def run(image: Image) -> tuple[Any, Any]:
        dense, coarse = session.run(None, {name: image[None]})
        return dense[0], coarse[0]

    return Network(run, "onnxruntime")


def _on_openvino(path: Path, threads: int | None) -> Network:
    openvino = require("openvino", extra="openvino", feature="inference through OpenVINO")
    core = openvino.Core()
    config = {"INFERENCE_NUM_THREADS": threads} if threads else {}
    try:
        model = core.compile_model(str(path), "CPU", config)
    except RuntimeError as exc:
        raise ModelError(f"{path.name} cannot be loaded: {type(exc).__name__}") from exc

    def run(image: Image) -> tuple[Any, Any]:
        result = model(image[None])
        return np.asarray(result[0])[0], np.asarray(result[1])[0]

    return Network(run, "openvino")

"""A whole classifier bundle with drawn weights, a few kilobytes: what the real one is, but for what it knows."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from wirbel.etiology.network_input import CHANNELS, InputKind
from wirbel.network.bundle import FORMAT, file_sha256

#: Crops of 16 voxels of 4 mm: the same field of view as the real one, at a sixty-fourth of the work.
FEATURES, SIDE, POOL, SPACING_MM = 6, 16, 4, 4.0


def tiny_member(
    path: Path, rng: np.random.Generator, kind: InputKind = "context", *, lesion: bool = False
) -> dict[str, object]:
    """Mean over cubes, one 1 x 1 x 1 convolution, means over the maps, a linear head; returns the head.

    `lesion`: it also says where it sees one: where the first channel is high.
    """
    channels = CHANNELS[kind]
    maps = rng.normal(0, 1, (FEATURES, channels, 1, 1, 1)).astype(np.float32)
    weights = np.abs(rng.normal(0, 1, (FEATURES, 1))).astype(np.float32)
    weights[1::2] *= np.float32(-0.2)  # both directions, and somewhere more for than against
    bias = np.float32(rng.normal())
    nodes = [
        helper.make_node("AveragePool", ["crops"], ["coarse"], kernel_shape=[POOL] * 3, strides=[POOL] * 3),
        helper.make_node("Conv", ["coarse", "kernel"], ["raw"]),
        helper.make_node("Relu", ["raw"], ["maps"]),
        helper.make_node("ReduceMean", ["maps"], ["features"], axes=[2, 3, 4], keepdims=0),
        helper.make_node("MatMul", ["features", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["column"]),
        helper.make_node("Squeeze", ["column", "one"], ["log_odds"]),
    ]
    first = [
        helper.make_node("Gather", ["crops", "nought"], ["channel"], axis=1),
        helper.make_node("Sigmoid", ["channel"], ["lesion"]),
    ]
    nodes += first if lesion else []
    side = SIDE // POOL
    shapes = {"log_odds": ["n"], "features": ["n", FEATURES], "maps": ["n", FEATURES, side, side, side]}
    if lesion:
        shapes["lesion"] = ["n", SIDE, SIDE, SIDE]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["n", channels, SIDE, SIDE, SIDE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [
            numpy_helper.from_array(maps, "kernel"),
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([bias]), "bias"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "one"),
            numpy_helper.from_array(np.array(0, dtype=np.int64), "nought"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return {"weights": weights[:, 0].tolist(), "bias": float(bias)}


def tiny_bundle(
    folder: Path, *, members: int = 2, seed: int = 1, lesion: bool = False, **changes: object
) -> Path:
    """Write the bundle; `changes` go into `scorer.json` before it is hashed."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    names = [f"b2_{i}" for i in range(members)]
    about = {
        "name": "b2",
        "kind": "context",
        "members": names,
        "crop": {"size": [SIDE] * 3, "spacing_mm": SPACING_MM},
        "trained_with_normals": True,
        "simulated": True,
        "settings_sha256": "5" * 64,
        "code_sha256": "c" * 64,
        "heads": [tiny_member(folder / f"{name}.onnx", rng, lesion=lesion) for name in names],
        **changes,
    }
    (folder / "scorer.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text("# Tiny classifier, version 0\n\nResearch use only.\n", encoding="utf-8")
    return described(folder)


def described(folder: Path) -> Path:
    """Write `bundle.json` over what lies in the folder."""
    files = {p.name: file_sha256(p) for p in sorted([*folder.glob("*.onnx"), folder / "scorer.json"])}
    stored = {"format": FORMAT, "name": "fracture", "version": "0.0.1", "files": files, "trained_on": ["nothing"]}
    (folder / "bundle.json").write_text(json.dumps(stored), encoding="utf-8")
    return folder

"""From a checkpoint to a bundle: ONNX with half-precision weights, bundle.json, model card."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from wirbel.network.bundle import FORMAT, file_sha256
from wirbel.training.nets import SpineNet


def export_onnx(net: SpineNet, checkpoint: Path, path: Path) -> None:
    """Write the running mean of a checkpoint's weights as ONNX; sides of the input are free."""
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["mean"])
    net = net.float().eval()
    side = torch.zeros(1, 2, 2 * net.multiple, 2 * net.multiple, 2 * net.multiple)
    write_onnx(
        net,
        side,
        path,
        {
            "image": {2: "z", 3: "y", 4: "x"},
            "dense": {2: "z", 3: "y", 4: "x"},
            "coarse": {2: "zc", 3: "yc", 4: "xc"},
        },
    )


def write_onnx(net: nn.Module, example: Tensor, path: Path, free_axes: Mapping[str, dict[int, str]]) -> None:
    """Write a network as ONNX with half-precision weights, checked; the file appears whole or not at all.

    `free_axes` names the input, then the outputs in their order, each with the axes whose length is free.
    """
    names = list(free_axes)
    part = path.with_suffix(".part.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (example,),
            str(part),
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes=dict(free_axes),
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load(str(part))
    halve_weights(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(part))
    part.replace(path)


def halve_weights(model: onnx.ModelProto) -> None:
    """Store weights in float16 and cast them when the model is loaded; in place, the model is the caller's own."""
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < 1024:
            continue
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_half")
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT))
        graph.initializer.remove(tensor)
        graph.initializer.append(half)
    for node in reversed(casts):
        graph.node.insert(0, node)


def write_bundle(folder: Path, *, name: str, version: str, trained_on: list[str], facts: dict[str, object]) -> None:
    """Write `bundle.json` over the ONNX files that lie in `folder`."""
    files = {p.name: file_sha256(p) for p in sorted(folder.glob("*.onnx"))}
    stored = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "licence": "CC-BY-SA-4.0",
        "files": files,
        "trained_on": trained_on,
        **facts,
    }
    (folder / "bundle.json").write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")

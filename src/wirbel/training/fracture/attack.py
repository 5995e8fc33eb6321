"""The smallest change that misleads most: projected gradient steps on whole HU, through the shipped weights.

The attacker knows the networks, the mask and the truth, and changes every voxel by at most a few HU (Madry et al.
2018, arXiv 1706.06083; here from no change, as Kurakin et al. 2017, arXiv 1607.02533): the worst case, not a
scanner's.
"""

from collections.abc import Sequence

import numpy as np
import onnx
import torch
from jaxtyping import Bool, Int16, UInt8
from onnx import helper, numpy_helper
from torch import Tensor, nn

from wirbel.errors import ModelError
from wirbel.etiology.crop import HIGH_HU, LOW_HU, RANGE_HU
from wirbel.etiology.network_input import BONE_HU, OTHERS, OUTSIDE, SOFT_HU, VERTEBRA, InputKind
from wirbel.network.fracture import FractureNetworks, Head

#: What an exported member is made of; anything else is no network of ours.
_KNOWN = frozenset({"Cast", "Conv", "Relu", "ReduceMean", "Gemm", "Gather", "Constant", "Identity"})
_TOGETHER = 4


class TorchMember(nn.Module):
    """An exported member in torch, with the very weights of its ONNX file: network input to log-odds (n,)."""

    def __init__(self, layers: Sequence[nn.Module], head: Head) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.register_buffer("weights", torch.from_numpy(head.weights.astype(np.float32)))
        self.bias = head.bias

    def forward(self, crops: Tensor) -> Tensor:
        """Log-odds."""
        features = self.layers(crops).mean((2, 3, 4))
        return features @ self.get_buffer("weights") + self.bias


def torch_members(networks: FractureNetworks) -> tuple[TorchMember, ...]:
    """All members of an ensemble, ready for gradients; `ModelError` where one is not built as ours are."""
    out = []
    for name, head in zip(networks.about.members, networks.about.heads, strict=True):
        model = onnx.load(str(networks.bundle.onnx(name)))
        nodes = _leading_to(model.graph, "log_odds")
        strange = {node.op_type for node in nodes} - _KNOWN
        if strange:
            raise ModelError(f"{name}.onnx holds {', '.join(sorted(strange))}: it is no export of ours")
        weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        for node in nodes:
            if node.op_type in ("Cast", "Identity") and node.input[0] in weights:
                weights[node.output[0]] = weights[node.input[0]]
        layers: list[nn.Module] = []
        for node in nodes:
            if node.op_type == "Conv":
                layers.append(_convolution(node, *(weights[i] for i in node.input[1:3])))
            elif node.op_type == "Relu":
                layers.append(nn.ReLU())
        out.append(TorchMember(layers, head).eval().requires_grad_(False))
    return tuple(out)


def _leading_to(graph: onnx.GraphProto, output: str) -> list[onnx.NodeProto]:
    """The nodes that an output rests on, in their order: where a lesion is seen is another matter."""
    wanted, kept = {output}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    return kept[::-1]


def channels_of(hu: Tensor, mask: UInt8[np.ndarray, "n z y x"], kind: InputKind) -> Tensor:
    """`wirbel.etiology.network_input` for n crops, with gradients toward the HU."""
    own, others, outside = (torch.from_numpy((mask & bit) > 0) for bit in (VERTEBRA, OTHERS, OUTSIDE))
    if kind == "masked":
        scaled = _filled((hu.clamp(LOW_HU, HIGH_HU) - LOW_HU) / RANGE_HU, outside)
        return torch.where(own, scaled, torch.zeros(()))[:, None]
    windows = [_filled(hu.clamp(low, high) / unit, outside) for low, high, unit in (BONE_HU, SOFT_HU)]
    return torch.stack([*windows, own.float(), others.float()], dim=1)


def attacked(
    members: Sequence[TorchMember],
    kind: InputKind,
    hu: Int16[np.ndarray, "n z y x"],
    mask: UInt8[np.ndarray, "n z y x"],
    malignant: Bool[np.ndarray, "n"],
    *,
    bound_hu: int,
    steps: int,
) -> Int16[np.ndarray, "n z y x"]:
    """Crops changed by at most `bound_hu` in any voxel so that the ensemble's mean speaks for the other class.

    Of all steps each crop keeps the one with the lowest margin, so none gets easier.
    """
    out = [
        _attacked(members, kind, hu[k : k + _TOGETHER], mask[k : k + _TOGETHER], malignant[k : k + _TOGETHER],
                  bound_hu, steps)
        for k in range(0, len(hu), _TOGETHER)
    ]  # fmt: skip
    return np.concatenate(out) if out else hu.copy()


def _attacked(
    members: Sequence[TorchMember], kind: InputKind, hu: np.ndarray, mask: np.ndarray, malignant: np.ndarray,
    bound_hu: int, steps: int,
) -> np.ndarray:  # fmt: skip
    start = torch.from_numpy(hu.astype(np.float32))
    side = torch.from_numpy(np.where(malignant, 1.0, -1.0).astype(np.float32))
    step = float(max(1, round(2.5 * bound_hu / steps)))
    now, best = start, start
    lowest = torch.full((len(hu),), float("inf"))
    for k in range(steps + 1):
        now = now.detach().requires_grad_(k < steps)
        crops = channels_of(now, mask, kind)
        margin = side * torch.stack([member(crops) for member in members]).mean(0)
        better = margin.detach() < lowest
        lowest = torch.where(better, margin.detach(), lowest)
        best = torch.where(better[:, None, None, None], now.detach(), best)
        if k < steps:
            (slope,) = torch.autograd.grad(margin.sum(), now)
            off = (now.detach() - step * slope.sign() - start).clamp(-bound_hu, bound_hu)
            now = start + off
    return best.numpy().astype(np.int16)


def _convolution(node: onnx.NodeProto, weight: np.ndarray, bias: np.ndarray) -> nn.Conv3d:
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    outer, inner, *kernel = weight.shape
    pads = given["pads"]
    if pads[:3] != pads[3:] or given["group"] != 1 or set(given["dilations"]) != {1}:
        raise ModelError(f"a convolution with {given} is none of ours: export the bundle again")
    layer = nn.Conv3d(inner, outer, tuple(kernel), tuple(given["strides"]), tuple(pads[:3]))
    layer.weight.data = torch.from_numpy(weight.astype(np.float32))
    layer.bias = nn.Parameter(torch.from_numpy(bias.astype(np.float32)))
    return layer


def _filled(values: Tensor, outside: Tensor) -> Tensor:
    """What the CT does not cover gets the mean of what it does, crop by crop."""
    if not bool(outside.any()):
        return values
    inside = (~outside).float()
    mean = (values * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3)).clamp(min=1)
    return torch.where(outside, mean[:, None, None, None], values)

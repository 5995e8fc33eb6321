"""The classifier's networks: an ensemble on ONNX Runtime, and its small linear heads in plain numbers beside it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from jaxtyping import Float32, Float64, Real, UInt8

from wirbel.errors import InputRejected, ModelError
from wirbel.etiology.crop import CropSettings
from wirbel.etiology.network_input import InputKind, central, network_input
from wirbel.network.bundle import SCORER, Bundle
from wirbel.network.session import onnx_session, runtime_errors

OUTPUTS = ("log_odds", "features", "maps")
#: What members that were taught by painted lesions give as well.
LESION_OUTPUT = "lesion"
#: Crops that go through a network at once: more brings nothing on a CPU, and memory.
BATCH = 4
#: How far a network's own log-odds may lie from its head in `scorer.json` (weights are stored in half precision).
HEAD_TOLERANCE, HEAD_TOLERANCE_SHARE = 0.02, 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A member's last layer: log-odds = weights . features + bias, features = means of the last maps."""

    weights: Float64[np.ndarray, "f"]
    bias: float


@dataclass(frozen=True, slots=True, eq=False)
class ScorerFile:
    """What `scorer.json` says of an ensemble."""

    name: str
    kind: InputKind
    members: tuple[str, ...]
    crop: CropSettings
    trained_with_normals: bool
    simulated: bool
    heads: tuple[Head, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CropScores:
    """What the members say of n crops; higher means malignant.

    `features`: those of all members side by side. `maps`: one array a member, its last maps. `lesions`: where each
    member that was taught by painted lesions sees one, as a probability; empty where none was.
    """

    log_odds: Float64[np.ndarray, "n members"]
    features: Float64[np.ndarray, "n total"]
    maps: tuple[Float32[np.ndarray, "n _ _ _ _"], ...]
    lesions: tuple[Float32[np.ndarray, "n _ _ _"], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FractureNetworks:
    """The members, ready to run."""

    bundle: Bundle
    about: ScorerFile
    sessions: tuple[Any, ...]

    def score(
        self, hu: Real[np.ndarray, "n z y x"], mask: UInt8[np.ndarray, "n z y x"]
    ) -> CropScores:
        """Scores of stored crops (HU, mask bits; larger ones are cut to their middle), all maps kept in memory.

        Raises `InputRejected` for a crop of another size, with NaN or without the vertebra in its mask, and
        `ModelError` where the networks do not do what their description says.
        """
        return joined(list(self.score_each(hu, mask)), len(self.about.members))

    def score_each(
        self, hu: Real[np.ndarray, "n z y x"], mask: UInt8[np.ndarray, "n z y x"]
    ) -> Iterator[CropScores]:
        """The same, a few crops at a time: arrays may be memory-mapped and long."""
        if hu.shape != mask.shape:
            raise InputRejected(f"crops of shape {hu.shape} have masks of shape {mask.shape}: cut both alike")
        size = self.about.crop.size
        for first in range(0, len(hu), BATCH):
            rows = range(first, min(first + BATCH, len(hu)))
            images = [network_input(central(hu[i], size), central(mask[i], size), self.about.kind) for i in rows]
            yield self.score_input(np.stack(images))

    def score_input(self, crops: Float32[np.ndarray, "n c z y x"]) -> CropScores:
        """Scores of network input."""
        each = [
            _run(session, crops, head, f"{name}.onnx of bundle {self.bundle.name!r}")
            for name, session, head in zip(self.about.members, self.sessions, self.about.heads, strict=True)
        ]
        return CropScores(
            np.stack([said.log_odds for said in each], axis=1),
            np.concatenate([said.features for said in each], axis=1),
            tuple(said.maps for said in each),
            tuple(said.lesion for said in each if said.lesion is not None),
        )


def open_fracture(bundle: Bundle, threads: int | None = None) -> FractureNetworks:
    """Load the members of a checked bundle; `ModelError` where something is missing or contradicts itself."""
    about = read_scorer_file(bundle)
    sessions = tuple(onnx_session(bundle.onnx(m), threads=threads, keeps_memory=True) for m in about.members)
    for name, session in zip(about.members, sessions, strict=True):
        given = {output.name for output in session.get_outputs()}
        if len(session.get_inputs()) != 1 or not given >= set(OUTPUTS):
            raise ModelError(
                f"{name}.onnx of bundle {bundle.name!r} gives {sorted(given)}, needed are {', '.join(OUTPUTS)}: "
                "export it again"
            )
    return FractureNetworks(bundle, about, sessions)


def read_scorer_file(bundle: Bundle) -> ScorerFile:
    """The ensemble's description, which the bundle's digest covers; `ModelError` where it is none."""
    if SCORER not in bundle.files:
        raise ModelError(f"bundle {bundle.name!r} has no {SCORER} among its files: it is no classifier")
    try:
        stored = json.loads((bundle.folder / SCORER).read_text(encoding="utf-8"))
        about = _scorer_file(stored, bundle)
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ModelError(f"{SCORER} of bundle {bundle.name!r} cannot be read: {type(exc).__name__} {exc}") from None
    if not about.members or len(about.members) != len(about.heads):
        raise ModelError(
            f"{SCORER} of bundle {bundle.name!r}: {len(about.members)} members and {len(about.heads)} heads; every "
            "member needs one"
        )
    return about


def joined(parts: list[CropScores], members: int) -> CropScores:
    """Scores of crops one after the other."""
    if not parts:
        return CropScores(np.empty((0, members)), np.empty((0, 0)), ())
    return CropScores(
        np.concatenate([p.log_odds for p in parts]),
        np.concatenate([p.features for p in parts]),
        tuple(np.concatenate([p.maps[m] for p in parts]) for m in range(members)),
        tuple(np.concatenate([p.lesions[m] for p in parts]) for m in range(len(parts[0].lesions))),
    )


def _scorer_file(stored: Mapping[str, Any], bundle: Bundle) -> ScorerFile:
    kinds = get_args(InputKind)
    if stored["kind"] not in kinds:
        raise ModelError(
            f"{SCORER} of bundle {bundle.name!r}: kind {stored['kind']!r} is none of {', '.join(kinds)}"
        )
    z, y, x = (int(n) for n in stored["crop"]["size"])
    return ScorerFile(
        str(stored["name"]),
        stored["kind"],
        tuple(str(m) for m in stored["members"]),
        CropSettings((z, y, x), float(stored["crop"]["spacing_mm"])),
        bool(stored["trained_with_normals"]),
        bool(stored["simulated"]),
        tuple(Head(np.array(h["weights"], dtype=np.float64), float(h["bias"])) for h in stored["heads"]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """One member's outputs."""

    log_odds: Float64[np.ndarray, "n"]
    features: Float64[np.ndarray, "n f"]
    maps: Float32[np.ndarray, "n f _ _ _"]
    lesion: Float32[np.ndarray, "n _ _ _"] | None


def _run(session: Any, crops: Float32[np.ndarray, "n c z y x"], head: Head, what: str) -> _Said:
    more = [LESION_OUTPUT] if LESION_OUTPUT in {output.name for output in session.get_outputs()} else []
    try:
        raw = session.run([*OUTPUTS, *more], {session.get_inputs()[0].name: crops})
    except runtime_errors() as exc:
        raise ModelError(f"{what} cannot be run on crops of shape {crops.shape}: {type(exc).__name__}") from exc
    log_odds, features = (np.asarray(a, dtype=np.float64) for a in raw[:2])
    log_odds = log_odds.reshape(len(crops))
    if features.shape != (len(crops), head.weights.size):
        raise ModelError(f"{what} gives {features.shape} features, its head has {head.weights.size} weights")
    off = np.abs(features @ head.weights + head.bias - log_odds)
    if np.any(off > HEAD_TOLERANCE + HEAD_TOLERANCE_SHARE * np.abs(log_odds)):
        raise ModelError(
            f"{what} and its head in {SCORER} differ by {float(off.max()):.3g} in log-odds: they do not belong "
            "together; export both again"
        )
    lesion = np.asarray(raw[3], dtype=np.float32) if more else None
    return _Said(log_odds, features, np.asarray(raw[2], dtype=np.float32), lesion)

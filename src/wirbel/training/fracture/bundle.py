"""From checkpoints to a bundle: ONNX members, `scorer.json`, `bundle.json`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from wirbel.errors import ModelError
from wirbel.etiology.network_input import CHANNELS
from wirbel.network.bundle import FORMAT, SCORER, Bundle, file_sha256, load_bundle
from wirbel.network.fracture import LESION_OUTPUT, OUTPUTS
from wirbel.training.export import write_onnx
from wirbel.training.fracture.fit import best_lessons, best_weights
from wirbel.training.fracture.nets import Exported, FractureNet, Lessons
from wirbel.training.fracture.recipe import Recipe

SIZE = (64, 64, 64)


def trained_net(recipe: Recipe, checkpoint: Path) -> FractureNet:
    """The member as it is exported: best averaged weights, in evaluation mode."""
    net = FractureNet(recipe.kind)
    net.load_state_dict(best_weights(checkpoint))
    return net.float().eval()


def export_member(net: FractureNet, lessons: Lessons | None, path: Path) -> None:
    """Write a member as ONNX with half-precision weights; n is free."""
    crops = torch.zeros(2, CHANNELS[net.kind], *SIZE)
    names = ("crops", *OUTPUTS, *((LESION_OUTPUT,) if lessons is not None else ()))
    write_onnx(Exported(net, lessons), crops, path, {name: {0: "n"} for name in names})


def write_ensemble(  # noqa: PLR0913  # a bundle tells as much
    folder: Path,
    recipe: Recipe,
    checkpoints: Sequence[Path],
    *,
    name: str,
    version: str,
    trained_on: str,
    simulated: bool,
    made_by: Mapping[str, str],
    by_paint: bool = False,
) -> Bundle:
    """Export all members and describe them; the bundle as it is read back.

    `by_paint`: they were taught where lesions were painted, and say where they see one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    members, heads = [], []
    for k, checkpoint in enumerate(checkpoints):
        net = trained_net(recipe, checkpoint)
        members.append(f"{recipe.name}_{k}")
        lessons = best_lessons(checkpoint) if by_paint else None
        export_member(net, lessons, folder / f"{members[-1]}.onnx")
        weights = net.head.weight.detach()[0].double()
        heads.append({"weights": weights.tolist(), "bias": float(net.head.bias.detach()[0])})
    about = {
        "name": name,
        "kind": recipe.kind,
        "members": members,
        "crop": {"size": list(SIZE), "spacing_mm": 1.0},
        "trained_with_normals": recipe.trained_with_normals,
        "simulated": simulated,
        "settings_sha256": made_by.get("settings_sha256", ""),
        "code_sha256": made_by.get("code_sha256", ""),
        "heads": heads,
    }
    _write(folder / SCORER, about)
    files = {f: file_sha256(folder / f) for f in (*(f"{m}.onnx" for m in members), SCORER)}
    told = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "licence": "CC-BY-SA-4.0" if simulated else "of whoever trained it",
        "files": files,
        "trained_on": [trained_on],
        "simulated": simulated,
        "notice": "Research use only. Not a medical device; not for diagnosis or treatment.",
    }
    _write(folder / "bundle.json", told)
    read = load_bundle(folder)
    if any(read.files[f] != h for f, h in files.items()):
        raise ModelError(f"bundle {name!r} was changed while it was written: run the command again")
    return read


def _write(path: Path, plain: Mapping[str, object]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    part.replace(path)

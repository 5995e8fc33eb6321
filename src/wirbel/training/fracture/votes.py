"""Scores of networks whose slices vote: by torch, where they were trained, because they are never exported."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64

from wirbel.network.bundle import file_sha256
from wirbel.training.fracture.batches import judged_batches
from wirbel.training.fracture.crop_rows import CropData, CropRow
from wirbel.training.fracture.fit import best_weights, new_net
from wirbel.training.fracture.nets import Net
from wirbel.training.fracture.recipe import Learnt, Recipe
from wirbel.training.fracture.scores import OUT_OF_FOLD, ScoredCrop, read_scores, write_scores

SIZE = (64, 64, 64)
_TOGETHER = 8


def score_votes(
    data: CropData,
    learnt: Sequence[Learnt],
    recipe: Recipe,
    checkpoints: Sequence[Path],
    path: Path,
    *,
    bf16: bool,
    say: Callable[[str], None],
) -> list[ScoredCrop]:
    """Training crops by the member that never saw them, all other arms by all; written arm by arm, resumable."""
    scorer = hashlib.sha256("".join(file_sha256(c) for c in checkpoints).encode()).hexdigest()
    nets = [_trained(recipe, c) for c in checkpoints]
    scored = read_scores(path, scorer=scorer)
    if not scored:
        for k, net in enumerate(nets):
            rows = [u.crop for u in learnt if u.fold == k]
            for r, own in zip(rows, _votes(data, rows, recipe, [net], bf16)[:, 0], strict=True):
                scored.append(_out_of_fold(r.row, k, float(own), len(nets)))
        scored.sort(key=lambda s: s.row)
        write_scores(path, scored, scorer=scorer)
    have = {s.row for s in scored}
    for arm in data.other_arms:
        rows = [r for r in data.arm(arm) if r.row not in have]
        if rows:
            said = _votes(data, rows, recipe, nets, bf16)
            scored += [ScoredCrop(r.row, r.arm, tuple(map(float, s))) for r, s in zip(rows, said, strict=True)]
            write_scores(path, scored, scorer=scorer)
            say(f"{arm}: {len(rows)} crops scored")
    return scored


def _trained(recipe: Recipe, checkpoint: Path) -> Net:
    net = new_net(recipe)
    net.load_state_dict(best_weights(checkpoint))
    return net.float().eval()


def _out_of_fold(row: int, member: int, log_odds: float, members: int) -> ScoredCrop:
    return ScoredCrop(row, OUT_OF_FOLD, tuple(log_odds if k == member else None for k in range(members)))


@torch.no_grad()
def _votes(
    data: CropData, rows: Sequence[CropRow], recipe: Recipe, nets: Sequence[Net], bf16: bool
) -> Float64[np.ndarray, "n k"]:
    judged = [Learnt(r, r.diagnosis.is_malignant, -1) for r in rows]
    out = [np.empty((0, len(nets)))]
    for batch in judged_batches(data, judged, recipe.kind, size=SIZE, batch=_TOGETHER):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            maps = [net.encode(batch.crops)[1] for net in nets]
        said = [net.judge(m.float())[0] for net, m in zip(nets, maps, strict=True)]
        out.append(torch.stack(said, 1).double().numpy())
    return np.concatenate(out)

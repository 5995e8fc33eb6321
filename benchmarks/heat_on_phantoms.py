"""Does the heat map show the lesion, and does it depend on what was learnt? On drawn crops with known truth.

    python benchmarks/heat_on_phantoms.py --crops FOLDER --bundle FOLDER [--arm ARM] [--most 200] [-o OUT]
        [--gallery FILE.png]

Every figure is simulated. On malignant crops whose log-odds are above zero (others have nothing to show):
- pointing game (Zhang 2016): the strongest voxel lies in what was painted malignant in or around this vertebra, or
  within 4 or 8 mm of it; beside it the same for the crop's middle and for a random voxel of the vertebra;
- energy: the share of the map's sum that lies in the lesion, over the lesion's share of the crop;
- randomised weights (Adebayo 2018): every tensor's values are shuffled, layer by layer from the head on; the map
  must change (rank correlation with the real one) and the pointing game fall to chance;
- deletion and insertion (Petsiuk 2018): voxels painted over with soft tissue, or brought back, in the map's order,
  in the order of another patient's map, and at random: area under the log-odds, as a share of the whole fall.
"""

import argparse
import csv
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from scipy import ndimage, stats

from wirbel.evaluation import proportion
from wirbel.network.bundle import file_sha256, load_bundle
from wirbel.network.fracture import SCORER, FractureNetworks, open_fracture
from wirbel.network.heat import grad_cam
from wirbel.training.fracture.nets import LESION
from wirbel.volume import Grid

MALIGNANT = frozenset({"malignant_fracture", "malignant_lesion"})
#: The lesion is looked for so far from the vertebra: a neighbour's own lesion is another matter.
AROUND_MM = 20.0
TOLERANCES_MM = (0.0, 4.0, 8.0)
LEAST_MM3 = 200.0
STEPS = 10
SOFT_HU = 40


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One crop, cut to the networks' size, and how far each voxel lies from the lesion (mm)."""

    hu: np.ndarray
    mask: np.ndarray
    from_lesion_mm: np.ndarray


def rows_of(crops: Path, arm: str) -> list[dict[str, str]]:
    """The index's rows of an arm, each with its place in the arrays; also of a folder that is still being drawn."""
    if (crops / "index.tsv").is_file():
        with (crops / "index.tsv").open(encoding="utf-8", newline="") as file:
            rows = list(enumerate(csv.DictReader(file, delimiter="\t")))
    else:
        lines = (crops / "progress.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        told = [json.loads(line)["rows"] for line in lines if line.endswith("\n")]
        rows = [(int(truth["row"]), index) for each in told for index, truth in each]
    return [{**row, "place": str(place)} for place, row in rows if not arm or row["arm"] == arm]


def middle(array: np.ndarray, size: tuple[int, int, int]) -> np.ndarray:
    """The middle of a crop."""
    cut = tuple(slice((h - w) // 2, (h - w) // 2 + w) for h, w in zip(array.shape, size, strict=True))
    return np.array(array[cut])


def cases(crops: Path, rows: Sequence[dict[str, str]], networks: FractureNetworks, most: int) -> list[Case]:
    """Malignant crops with a lesion of some size whose score is above zero."""
    arrays = [np.load(crops / f"{name}.npy", mmap_mode="r") for name in ("hu", "mask", "marks")]
    out = []
    for row in rows:
        if row["class"] not in MALIGNANT or len(out) >= most:
            continue
        hu, mask, marks = (middle(a[int(row["place"])], networks.about.crop.size) for a in arrays)
        near = ndimage.distance_transform_edt((mask & 1) == 0) <= AROUND_MM
        lesion = np.isin(marks, [int(m) for m in LESION]) & near
        if lesion.sum() * networks.about.crop.spacing_mm**3 < LEAST_MM3:
            continue
        if float(networks.score(hu[None], mask[None]).log_odds.mean()) > 0.0:
            out.append(Case(hu, mask, ndimage.distance_transform_edt(~lesion).astype(np.float32)))
    return out


def maps_of(networks: FractureNetworks, found: Sequence[Case]) -> list[np.ndarray]:
    """The heat map of each case."""
    grid = Grid.axis_aligned(networks.about.crop.size, (networks.about.crop.spacing_mm,) * 3)
    return [grad_cam(networks, networks.score(c.hu[None], c.mask[None]), 0, grid).values for c in found]


def share(hits: Sequence[bool]) -> str:
    """A share with its 95 % interval."""
    got = proportion(int(sum(hits)), len(hits))
    return f"{got.value:.3f} ({got.low:.3f}-{got.high:.3f})"


def pointing(found: Sequence[Case], maps: Sequence[np.ndarray], rng: np.random.Generator) -> list[str]:
    """The pointing game's rows."""
    peaks = [np.unravel_index(int(np.argmax(m)), m.shape) if m.max() > 0 else None for m in maps]
    middles = [tuple(n // 2 for n in c.hu.shape) for c in found]
    inside = [np.argwhere(c.mask & 1) for c in found]
    random = [tuple(v[int(rng.integers(len(v)))]) for v in inside]
    lines = []
    games = {"strongest voxel": peaks, "middle of the crop": middles, "random voxel of the vertebra": random}
    for name, points in games.items():
        cells = [
            share([p is not None and float(c.from_lesion_mm[p]) <= t for c, p in zip(found, points, strict=True)])
            for t in TOLERANCES_MM
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def energy(found: Sequence[Case], maps: Sequence[np.ndarray]) -> str:
    """How much denser the map is in the lesion than in the crop."""
    ratios = [
        float(m[c.from_lesion_mm == 0].sum() / m.sum() / (c.from_lesion_mm == 0).mean())
        for c, m in zip(found, maps, strict=True)
        if m.sum() > 0
    ]
    return f"{np.median(ratios):.1f} ({np.percentile(ratios, 25):.1f}-{np.percentile(ratios, 75):.1f})"


def shuffled(bundle: Path, into: Path, share_of_layers: float, seed: int) -> Path:
    """A copy of a bundle whose last tensors have their values in another order, the head in `scorer.json` too."""
    into.mkdir(parents=True)
    about = json.loads((bundle / SCORER).read_text(encoding="utf-8"))
    rng = np.random.default_rng(seed)
    for member, head in zip(about["members"], about["heads"], strict=True):
        model = onnx.load(str(bundle / f"{member}.onnx"))
        weights = np.array(head["weights"])
        tensors = [t for t in model.graph.initializer if t.data_type in (1, 10) and np.prod(t.dims) > 1]
        heads = [t for t in tensors if np.prod(t.dims) == weights.size
                 and np.allclose(numpy_helper.to_array(t).ravel(), weights, atol=2e-3)]  # fmt: skip
        rest = [t for t in tensors if t not in heads]
        order = rng.permutation(weights.size)
        for tensor in heads:
            _put(tensor, numpy_helper.to_array(tensor).ravel()[order].reshape(tensor.dims))
        head["weights"] = weights[order].tolist()
        for tensor in rest[len(rest) - round(share_of_layers * len(rest)) :]:
            values = numpy_helper.to_array(tensor)
            _put(tensor, rng.permutation(values.ravel()).reshape(values.shape))
        onnx.save(model, str(into / f"{member}.onnx"))
    (into / SCORER).write_text(json.dumps(about), encoding="utf-8")
    stored = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    stored["files"] = {name: file_sha256(into / name) for name in stored["files"] if (into / name).is_file()}
    (into / "bundle.json").write_text(json.dumps(stored), encoding="utf-8")
    return into


def _put(tensor: onnx.TensorProto, values: np.ndarray) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))


def randomised(bundle: Path, found: Sequence[Case], maps: Sequence[np.ndarray], seed: int) -> list[str]:
    """Rank correlation and pointing game when ever more layers are shuffled."""
    lines = []
    folder = Path(tempfile.mkdtemp())
    try:
        for part in (0.0, 0.34, 0.67, 1.0):
            networks = open_fracture(load_bundle(shuffled(bundle, folder / str(part), part, seed)))
            others = maps_of(networks, found)
            ranks = [_rank(a, b) for a, b in zip(maps, others, strict=True)]
            hits = [
                m.max() > 0 and float(c.from_lesion_mm.ravel()[int(np.argmax(m))]) <= TOLERANCES_MM[1]
                for c, m in zip(found, others, strict=True)
            ]
            name = "head" if part == 0 else f"head and the last {100 * part:.0f} % of tensors"
            lines.append(f"| {name} | {np.mean(ranks):.2f} | {share(hits)} |")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return lines


def _rank(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation on every fourth voxel; 0 where a map is empty."""
    a, b = (m[2::4, 2::4, 2::4].ravel() for m in (a, b))
    return float(stats.spearmanr(a, b).statistic) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0


def curves(
    networks: FractureNetworks, found: Sequence[Case], maps: Sequence[np.ndarray], rng: np.random.Generator
) -> list[str]:
    """Deletion and insertion: areas under the log-odds as shares between the painted and the whole crop."""
    areas: dict[str, list[tuple[float, float]]] = {"own map": [], "another patient's map": [], "random": []}
    for i, (case, heat) in enumerate(zip(found, maps, strict=True)):
        painted = np.full_like(case.hu, SOFT_HU)
        whole, bare = (float(networks.score(h[None], case.mask[None]).log_odds.mean()) for h in (case.hu, painted))
        if whole - bare < 0.5:
            continue
        noise = rng.random(heat.shape).astype(np.float32)
        coarse = ndimage.zoom(rng.random(tuple(n // 8 for n in heat.shape)), 8, order=1)
        for name, order in (
            ("own map", heat + 1e-6 * noise),
            ("another patient's map", maps[(i + 1) % len(maps)] + 1e-6 * noise),
            ("random", coarse),
        ):
            rank = np.argsort(np.argsort(-order, axis=None)).reshape(order.shape)
            both = []
            for start, end in ((case.hu, painted), (painted, case.hu)):
                shown = [np.where(rank < k * rank.size / STEPS, end, start) for k in range(STEPS + 1)]
                scores = [float(networks.score(h[None], case.mask[None]).log_odds.mean()) for h in shown]
                both.append(float(np.trapezoid(scores, dx=1.0 / STEPS) - bare) / (whole - bare))
            areas[name].append((both[0], both[1]))
    return [
        f"| {name} | {np.mean([a for a, _ in each]):.2f} | {np.mean([b for _, b in each]):.2f} | {len(each)} |"
        for name, each in areas.items()
        if each
    ]


def gallery(found: Sequence[Case], maps: Sequence[np.ndarray], path: Path) -> None:
    """At most eight cases, evenly taken: slices through the strongest voxel, the painted lesion outlined."""
    import matplotlib as mpl  # noqa: PLC0415  # for this picture alone

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    chosen = np.unique(np.linspace(0, len(found) - 1, min(8, len(found))).astype(int))
    figure, axes = plt.subplots(2, len(chosen), figsize=(2.2 * len(chosen), 4.9), squeeze=False)
    for column, k in enumerate(chosen):
        case, heat = found[k], maps[k]
        z, _, x = np.unravel_index(int(np.argmax(heat)), heat.shape)
        lesion = case.from_lesion_mm == 0
        for axis, cut in zip(axes[:, column], ((slice(None, None, -1), slice(None), x), (z,)), strict=True):
            axis.imshow(case.hu[cut], cmap="gray", vmin=-150, vmax=600)
            axis.imshow(heat[cut], cmap="inferno", alpha=0.7 * heat[cut])
            axis.contour(lesion[cut], [0.5], colors="c", linewidths=0.8)
            axis.axis("off")
    figure.suptitle("SIMULATED: where the classifier looked; cyan: where a lesion was painted", fontsize=11)
    figure.tight_layout()
    figure.savefig(path, dpi=64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--arm", default="large_external", help="empty: every arm")
    parser.add_argument("--most", type=int, default=200)
    parser.add_argument("--curves", type=int, default=30, help="cases for deletion and insertion")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gallery", type=Path, help="a picture of eight of the cases; nothing else is done")
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    bundle = load_bundle(given.bundle)
    networks = open_fracture(bundle)
    rng = np.random.default_rng(given.seed)
    found = cases(given.crops, rows_of(given.crops, given.arm), networks, given.most)
    if not found:
        parser.error(f"no malignant crop of arm {given.arm!r} scores above zero")
    maps = maps_of(networks, found)
    if given.gallery is not None:
        gallery(found, maps, given.gallery)
        return
    text = "\n".join([
        "# Where the classifier looked (simulated)",
        "",
        f"Bundle {bundle.name} {bundle.version} ({bundle.sha256[:12]}), {len(networks.about.members)} members; "
        f"{len(found)} malignant crops of arm {given.arm or 'any'} with log-odds above zero and at least "
        f"{LEAST_MM3:.0f} mm3 painted within {AROUND_MM:.0f} mm of the vertebra. All figures are simulated.",
        "",
        "| pointing game (simulated) | " + " | ".join(f"within {t:.0f} mm" for t in TOLERANCES_MM) + " |",
        "|---|" + "---|" * len(TOLERANCES_MM),
        *pointing(found, maps, rng),
        "",
        f"The map's density in the lesion over that in the crop (simulated): median {energy(found, maps)}.",
        "",
        "| shuffled weights (simulated) | rank correlation with the real map | pointing game within 4 mm |",
        "|---|---|---|",
        *randomised(given.bundle, found, maps, given.seed),
        "",
        "| order (simulated) | deletion (lower: better) | insertion (higher: better) | crops |",
        "|---|---|---|---|",
        *curves(networks, found[: given.curves], maps[: given.curves], rng),
        "",
    ])  # fmt: skip
    print(text)
    if given.output is not None:
        given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

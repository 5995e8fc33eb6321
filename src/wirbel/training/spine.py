"""The spine networks from nothing to a bundle: draw, train on drawings, fine-tune on real CTs, outline, export.

Every stage leaves a folder and goes on where it stopped. Run it again and only what is missing is made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from wirbel.errors import UsageError
from wirbel.ingest import read_masks, read_study
from wirbel.network.spine_heads import FIND_MM, SEGMENT_MM
from wirbel.phantom import MaskColumn, prepare_masks
from wirbel.training.augment import AugmentSettings
from wirbel.training.card import write_card
from wirbel.training.drawn import draw_hu, draw_person
from wirbel.training.export import export_onnx, write_bundle
from wirbel.training.handout import CASES, RealCase, bodies_of, real_samples, verse_numbers
from wirbel.training.loop import (
    LoopSettings,
    Patches,
    Progress,
    finder,
    finder_loss,
    segmenter,
    segmenter_loss,
    steps_of,
    train,
)
from wirbel.training.outline import OutlineTraining, export_outline, train_outline
from wirbel.training.outline_data import drawn_outlines, real_outlines
from wirbel.training.sample import save_sample
from wirbel.volume import LabelMap, Volume
from wirbel.volume.resample import resample_labels

Say = Callable[[str], None]

#: Masks of the hand-out that lend their shapes to drawn persons: file, numbering.
SHAPES: tuple[tuple[str, str], ...] = (
    ("masks/full-spines/verse561_seg-vert_from-mesh.nii.gz", "verse"),
    ("masks/full-spines/verse581_seg-vert_from-mesh.nii.gz", "verse"),
    ("masks/full-spines/verse631_seg-vert_from-mesh.nii.gz", "verse"),
    ("masks/full-spines/verse823_seg-vert_from-mesh.nii.gz", "verse"),
    ("masks/s0327/vertebrae.nii.gz", "verse"),
    ("masks/gl003/sub-gl003_dir-ax_seg-vert_msk.nii.gz", "verse"),
    ("masks/gl017/sub-gl017_seg-vert_msk.nii.gz", "verse"),
    ("ct/s0328-bone-only/vertebrae.nii.gz", "verse"),
)

#: Small patches: many steps teach more in the same time than large views.
FIND_SHAPES = ((64, 64, 64), (96, 64, 64), (64, 64, 96), (96, 64, 32), (64, 96, 64), (96, 96, 96))
SEGMENT_SHAPES = ((64, 64, 64), (80, 64, 64), (64, 80, 64), (64, 80, 80))
#: The segmenter sees what a hospital's CT shows and little more: with patches bent, cropped and blurred as hard as
#: the finder's, 1,300 steps left every disc unfound; with these, 350 found half of them.
SEGMENT_AUGMENT = AugmentSettings(
    rotate_deg=(8.0, 8.0, 12.0),
    scale=0.12,
    bend_mm=3.0,
    crop=0.2,
    thick=0.3,
    max_thick_mm=3.5,
    gain=0.2,
    noise_hu=30.0,
)
SEGMENT_AUGMENT_FINE = AugmentSettings(
    rotate_deg=(9.0, 9.0, 14.0),
    scale=0.14,
    bend_mm=3.5,
    crop=0.25,
    thick=0.4,
    max_thick_mm=5.0,
    gain=0.25,
    noise_hu=38.0,
)


@dataclass(frozen=True, slots=True)
class SpinePlan:
    """How long and on what. The defaults are what the shipped bundle was trained with."""

    persons: int = 220
    boxes: int = 640
    box_mm: float = 136.0
    base_minutes: float = 45.0
    fine_minutes: float = 14.0
    real_share: float = 0.55
    """Share of real CTs in fine-tuning."""
    base_rate: float = 2e-3
    fine_rate: float = 1e-3
    seed: int = 7
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(steps=1_000_000, save_every=50, workers=2))
    leave_out: tuple[str, ...] = ()
    outline_cases: int = 120
    """Drawn CTs for the outline network; 0: none is trained."""
    outline: OutlineTraining = field(default_factory=lambda: OutlineTraining(minutes=20.0))
    outline_fine: OutlineTraining = field(
        default_factory=lambda: OutlineTraining(minutes=10.0, learning_rate=1e-3, average=0.995)
    )
    shapes: tuple[tuple[str, str], ...] = SHAPES
    cases: tuple[RealCase, ...] = CASES

    def __post_init__(self) -> None:
        patients = {case.patient for case in self.cases}
        unknown = sorted(set(self.leave_out) - patients)
        if unknown:
            raise UsageError(
                f"no such patient to leave out: {', '.join(unknown)}; there are {', '.join(sorted(patients))}"
            )


@dataclass(frozen=True, slots=True)
class _Net:
    """One of the two networks: name, grid, boxes drawn for it."""

    name: str
    spacing_mm: float
    shapes: tuple[tuple[int, int, int], ...]
    augment: AugmentSettings
    augment_fine: AugmentSettings


_FIND_AUGMENT = AugmentSettings(max_thick_mm=7.0)
FIND = _Net("find", FIND_MM, FIND_SHAPES, _FIND_AUGMENT, _FIND_AUGMENT)
SEGMENT = _Net("segment", SEGMENT_MM, SEGMENT_SHAPES, SEGMENT_AUGMENT, SEGMENT_AUGMENT_FINE)


def draw_stage(run: Path, data_dir: Path | None, plan: SpinePlan, net: _Net, say: Say) -> None:
    """Draw the persons that are still missing; around real masks too where `data_dir` is given."""
    folder = run / f"drawn_{net.name}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = plan.persons if net is FIND else plan.boxes
    missing = [i for i in range(wanted) if not (folder / f"drawn{i:05d}.npz").exists()]
    if not missing:
        return
    masks = _mask_columns(data_dir, plan.shapes, say) if data_dir else []
    for i in missing:
        rng = np.random.default_rng([plan.seed, round(net.spacing_mm * 10), i])
        sample = draw_person(rng, net.spacing_mm, None if net is FIND else plan.box_mm, masks)
        save_sample(sample, folder / f"drawn{i:05d}.npz")
        if i % 20 == 0:
            say(f"drawn {i + 1} of {wanted} for {net.name}")


def real_stage(run: Path, data_dir: Path, plan: SpinePlan, net: _Net, say: Say) -> None:
    """Put the hand-out's real CTs on the network's grid."""
    folder = run / f"real_{net.name}"
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "done").exists():
        return
    missing = tuple(case for case in plan.cases if not (folder / f"{case.name}.npz").exists())
    for case, sample in real_samples(
        data_dir, net.spacing_mm, _read_ct, _read_labels, bodies_of, cases=missing
    ):
        save_sample(sample, folder / f"{case.name}.npz")
        say(f"real CT {case.name} for {net.name}")
    (folder / "done").touch()


def base_stage(run: Path, plan: SpinePlan, net: _Net, say: Say) -> Path:
    """Train on drawn persons only; the segmenter starts from the finder's weights, wherever they fit."""
    start = run / "find_base" / "checkpoint.pt" if net is SEGMENT else None
    settings = replace(plan.loop, minutes=plan.base_minutes, learning_rate=plan.base_rate, seed=plan.seed)
    sources = [(run / f"drawn_{net.name}", 1.0)]
    return _train(run / f"{net.name}_base", sources, (), settings, net, net.augment, start, say)


def fine_stage(run: Path, plan: SpinePlan, net: _Net, say: Say) -> Path:
    """Go on from the base with real CTs among the drawn; patients in `leave_out` are not shown."""
    skip = tuple(case.name + "." for case in plan.cases if case.patient in plan.leave_out)
    folder = run / (f"{net.name}_fine" + "".join(f"_without_{p}" for p in plan.leave_out))
    settings = replace(
        plan.loop, minutes=plan.fine_minutes, learning_rate=plan.fine_rate, seed=plan.seed + 1, average=0.98
    )
    sources = [(run / f"drawn_{net.name}", 1 - plan.real_share), (run / f"real_{net.name}", plan.real_share)]
    base = run / f"{net.name}_base" / "checkpoint.pt"
    return _train(folder, sources, skip, settings, net, net.augment_fine, base, say)


def export_stage(
    run: Path, out: Path, checkpoints: dict[str, Path], *, version: str, trained_on: Sequence[str]
) -> None:
    """Write the networks as a bundle, with its card and licence."""
    out.mkdir(parents=True, exist_ok=True)
    export_onnx(finder(), checkpoints["find"], out / "find.onnx")
    export_onnx(segmenter(), checkpoints["segment"], out / "segment.onnx")
    if "outline" in checkpoints:
        export_outline(checkpoints["outline"], out / "outline.onnx")
    steps = {name: steps_of(path) for name, path in checkpoints.items()}
    write_card(out, version=version, trained_on=trained_on, steps=steps)
    write_bundle(out, name="spine", version=version, trained_on=list(trained_on), facts={"run": run.name})


def outline_stage(run: Path, data_dir: Path | None, plan: SpinePlan, segment: Path, without: str, say: Say) -> Path:
    """Train the last step on what the segmenter makes of drawn CTs, then with real CTs that have masks among them.

    The real ones are shown to the segmenter that has seen drawings alone; patients in `leave_out` are not shown.
    """
    folder = run / f"outline{without}"
    network = _exported(segment, folder / "segment.onnx")

    def shapes() -> list[MaskColumn]:
        return _mask_columns(data_dir, plan.shapes, say) if data_dir else []

    drawn = drawn_outlines(folder, plan.outline_cases, network, shapes, plan.loop.threads, say)
    checkpoint = train_outline(drawn, run / f"outline_base{without}", plan.outline, say=say)
    if data_dir is None:
        return checkpoint
    base = _exported(run / "segment_base" / "checkpoint.pt", run / "segment_base" / "segment.onnx")
    shown = [case for case in plan.cases if case.patient not in plan.leave_out]
    real = real_outlines(run / "outline_real", data_dir, shown, _read_ct, base, plan.loop.threads, say)
    if not real:
        return checkpoint
    fine = run / f"outline_fine{without}"
    return train_outline(drawn, fine, plan.outline_fine, real=real, start_from=checkpoint, say=say)


def _exported(checkpoint: Path, path: Path) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        export_onnx(segmenter(), checkpoint, path)
    return path


def trained_on(plan: SpinePlan, *, with_data: bool) -> list[str]:
    """What went into a bundle, for its card."""
    last = f" + {plan.outline_cases}" if plan.outline_cases else ""
    drawn = [f"{plan.persons} + {plan.boxes}{last} drawn persons (wirbel.phantom, seed {plan.seed})"]
    if not with_data:
        return drawn
    shapes = [f"shapes of {name}" for name, _ in plan.shapes]
    return [*drawn, *shapes, *(case.image for case in plan.cases if case.patient not in plan.leave_out)]


def _train(
    folder: Path,
    sources: list[tuple[Path, float]],
    skip: tuple[str, ...],
    settings: LoopSettings,
    net: _Net,
    augment: AugmentSettings,
    start_from: Path | None,
    say: Say,
) -> Path:
    done = folder / "done"
    if done.exists():
        return folder / "checkpoint.pt"
    patches = Patches(
        sources,
        skip=skip,
        draw_hu=draw_hu,
        augment=augment,
        shapes=net.shapes,
        spacing_mm=net.spacing_mm,
        seed=settings.seed,
        repeat=1,
    )

    def tell(progress: Progress) -> None:
        say(f"{folder.name}: step {progress.step}, loss {progress.loss:.3f}, {progress.seconds / 60:.1f} min")

    model, loss = (finder(), finder_loss) if net is FIND else (segmenter(), segmenter_loss)
    path = train(model, loss, patches, folder, settings, start_from=start_from, report=tell)
    done.touch()
    return path


def _mask_columns(data_dir: Path, shapes: Sequence[tuple[str, str]], say: Say) -> list[MaskColumn]:
    columns = []
    for name, numbering in shapes:
        numbers = verse_numbers(_read_labels(data_dir / name), numbering)
        grid = numbers.grid.respaced((1.0, 1.0, 1.0))
        instances = np.array(resample_labels(numbers, grid).labels)
        columns.append(prepare_masks(instances, None, grid))
        say(f"shapes of {name}")
    return columns


def _read_ct(path: Path) -> Volume:
    return read_study(path).main.volume


def _read_labels(path: Path) -> LabelMap:
    return read_masks(path)


def train_spine(run: Path, data_dir: Path | None, plan: SpinePlan, *, version: str, say: Say) -> Path:
    """All stages for all networks; gives back the bundle's folder. Without `data_dir` on drawings only."""
    run.mkdir(parents=True, exist_ok=True)
    checkpoints = {}
    for net in (FIND, SEGMENT):
        draw_stage(run, data_dir, plan, net, say)
        checkpoints[net.name] = base_stage(run, plan, net, say)
        if data_dir is not None:
            real_stage(run, data_dir, plan, net, say)
            checkpoints[net.name] = fine_stage(run, plan, net, say)
    without = "".join(f"_without_{p}" for p in plan.leave_out)
    if plan.outline_cases:
        checkpoints["outline"] = outline_stage(run, data_dir, plan, checkpoints["segment"], without, say)
    out = run / f"bundle{without}"
    went_in = trained_on(plan, with_data=data_dir is not None)
    export_stage(run, out, checkpoints, version=version, trained_on=went_in)
    return out

"""The cases of the outline network on disk, drawn and real; only what is missing is made."""

from collections.abc import Callable, Sequence
from pathlib import Path

from wirbel.network.session import open_network
from wirbel.phantom import MaskColumn
from wirbel.training.assess import masks_of
from wirbel.training.handout import ReadCt, RealCase
from wirbel.training.outline_cases import FIRST_SEED, draw_case, real_case, save_case

Say = Callable[[str], None]


def drawn_outlines(
    folder: Path, count: int, segment: Path, shapes: Callable[[], list[MaskColumn]], threads: int, say: Say
) -> list[Path]:
    """Drawn CTs that the segmenter (an ONNX file) has not seen, segmented; `shapes`: real masks to draw around."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"case{i:05d}.npz" for i in range(count)]
    missing = [i for i, path in enumerate(paths) if not path.exists()]
    if missing:
        masks, network = shapes(), open_network(segment, threads=threads)
        for i in missing:
            save_case(draw_case(FIRST_SEED + i, network, masks), paths[i])
            if i % 10 == 0:
                say(f"drawn {i + 1} of {count} CTs for the outline")
    return paths


def real_outlines(
    folder: Path,
    data_dir: Path,
    cases: Sequence[RealCase],
    read_ct: ReadCt,
    segment: Path,
    threads: int,
    say: Say,
) -> list[Path]:
    """The real CTs with masks among the cases, segmented by a segmenter that has seen drawings alone."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for case in cases:
        path, masks = folder / f"{case.name}.npz", masks_of(case, data_dir)
        if masks is None:
            continue
        if not path.exists():
            network = open_network(segment, threads=threads)
            save_case(real_case(read_ct(data_dir / case.image), *masks, network), path)
            say(f"real CT {case.name} for the outline")
        paths.append(path)
    return paths

"""`wirbel train spine` from nothing to a bundle, in miniature: interrupted, gone on with, loaded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from wirbel.errors import UsageError  # noqa: E402
from wirbel.network import load_bundle  # noqa: E402
from wirbel.network.session import open_network  # noqa: E402
from wirbel.training.card import attributions_of  # noqa: E402
from wirbel.training.handout import CASES  # noqa: E402
from wirbel.training.loop import LoopSettings  # noqa: E402
from wirbel.training.outline import OutlineTraining  # noqa: E402
from wirbel.training.spine import SHAPES, SpinePlan, train_spine, trained_on  # noqa: E402

TINY = SpinePlan(
    persons=1,
    boxes=1,
    box_mm=64.0,
    base_minutes=100.0,
    fine_minutes=100.0,
    loop=LoopSettings(steps=2, batch=1, save_every=1, warm_up=1, workers=0, threads=1),
    outline_cases=2,
    outline=OutlineTraining(steps=2, batch=1, log_every=1),
    outline_fine=OutlineTraining(steps=1, batch=1, log_every=1),
    shapes=(),
    cases=tuple(case for case in CASES if case.name == "tptbox-l3"),
)


class Stop(Exception):
    """Somebody pulls the plug."""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_training_goes_on_where_it_was_interrupted_and_ends_in_a_bundle_that_loads(
    data_dir: Path, tmp_path: Path
) -> None:
    said: list[str] = []

    def stop_in_the_middle(line: str) -> None:
        said.append(line)
        if line.startswith("segment_base: step 1"):
            raise Stop

    with pytest.raises(Stop):
        train_spine(tmp_path, data_dir, TINY, version="0.0.1", say=stop_in_the_middle)
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    assert not (tmp_path / "bundle").exists()
    said.clear()
    out = train_spine(tmp_path, data_dir, TINY, version="0.0.1", say=said.append)
    assert made.items() <= {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}.items()
    assert [line.split(",")[0] for line in said if line.startswith("segment") and "step" in line] == [
        "segment_base: step 2", "segment_fine: step 1", "segment_fine: step 2"
    ]
    bundle = load_bundle(out)
    assert bundle.version == "0.0.1"
    assert bundle.trained_on == tuple(trained_on(TINY, with_data=True))
    assert "TPTBox" in (out / "MODEL_CARD.md").read_text()
    assert (out / "LICENSE").is_file()
    assert bundle.has("outline")
    for part in ("find", "segment"):
        dense, _ = open_network(bundle.onnx(part), threads=1).run(np.zeros((2, 32, 32, 32), np.float32))
        assert np.isfinite(dense).all()


def test_a_patient_nobody_knows_cannot_be_left_out() -> None:
    with pytest.raises(UsageError, match="lidc-idri-9999; there are"):
        replace(TINY, cases=CASES, leave_out=("lidc-idri-9999",))


def test_only_what_was_shown_is_on_the_card() -> None:
    plan = SpinePlan(leave_out=("tcga-bc-a3kf",))
    assert len(trained_on(plan, with_data=False)) == 1
    listed = trained_on(plan, with_data=True)
    assert len(listed) == 1 + len(SHAPES) + len(CASES) - 2
    assert not any("tcga" in one for one in listed)
    named = attributions_of(listed)
    assert len(named) == 8
    assert not any("TCGA" in one for one in named)


def test_every_case_has_somebody_to_name() -> None:
    for source in [*(case.image for case in CASES), *(name for name, _ in SHAPES)]:
        assert attributions_of([source]), source

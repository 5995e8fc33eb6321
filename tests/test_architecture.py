"""The rooms keep their directions, and the way of `analyze` stays light."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "misc", "types"}


def test_imports_go_downwards_only():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_analyze_imports_neither_training_nor_phantoms_nor_torch():
    code = (
        "import sys, wirbel.cli.batch, wirbel.network, wirbel.cli.main; "
        "rooms = ('wirbel.training', 'wirbel.phantom', 'torch'); "
        "print(sorted(m for m in sys.modules if m.startswith(rooms)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200)
    assert done.stdout.strip() == "[]"


def test_no_module_has_a_name_that_says_nothing():
    names = {path.stem for path in (ROOT / "src" / "wirbel").rglob("*.py")}
    assert not names & FORBIDDEN_NAMES


def test_modules_are_one_idea_long():
    """About 300 lines; a tenth more is tolerated."""
    allowed = 330
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "src" / "wirbel").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > allowed
    }
    assert not long

"""What is in the package: version, licence, texts, no address of an index in the locks."""

import re
import tomllib
from pathlib import Path

import wirbel
from wirbel.network.bundle import shipped_bundles

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")


def pinned(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.M))


def test_the_version_is_the_same_everywhere():
    assert PROJECT["version"] == wirbel.__version__
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8") or (
        f"## {wirbel.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    )


def test_every_dependency_is_pinned_with_hashes_and_no_index_is_named():
    for lock in LOCKS:
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert "http" not in text
        assert "--index-url" not in text
        assert text.count("==") <= text.count("--hash=sha256:")
    names = {re.split(r"[<>=\[ ]", d)[0].lower() for d in PROJECT["dependencies"]}
    assert names <= set(pinned("requirements.lock"))


def test_the_run_needs_no_torch_and_the_two_locks_agree():
    run, dev = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert "torch" not in run
    assert {name for name in run if dev.get(name, run[name]) != run[name]} == set()


def test_the_licence_is_apache():
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_shipped_weights_are_small_whole_and_say_what_went_in():
    size = 0
    for bundle in shipped_bundles():
        size += sum(path.stat().st_size for path in bundle.folder.iterdir() if path.is_file())
        assert bundle.trained_on
        assert (bundle.folder / "LICENSE").is_file()
        cards = [path for path in bundle.folder.iterdir() if path.suffix == ".md"]
        assert cards, f"{bundle.name} has no model card"
    assert size <= 30 * 1024**2

"""A bundle is used only when it is whole and unaltered."""

import json
from pathlib import Path

import pytest

from wirbel.errors import ModelError
from wirbel.network.bundle import FORMAT, file_sha256, load_bundle, shipped_bundles


def a_bundle(folder: Path, **changes: object) -> Path:
    (folder / "find.onnx").write_bytes(b"network")
    stored: dict[str, object] = {
        "format": FORMAT,
        "name": "spine",
        "version": "0",
        "files": {"find.onnx": file_sha256(folder / "find.onnx")},
        "trained_on": ["drawn persons"],
    }
    stored.update(changes)
    (folder / "bundle.json").write_text(json.dumps(stored))
    return folder


def test_a_whole_bundle_is_read_with_its_hash_and_what_it_was_trained_on(tmp_path: Path) -> None:
    bundle = load_bundle(a_bundle(tmp_path))
    assert bundle.onnx("find").read_bytes() == b"network"
    assert bundle.trained_on == ("drawn persons",)
    assert len(bundle.sha256) == 64


def test_an_altered_network_is_refused(tmp_path: Path) -> None:
    a_bundle(tmp_path)
    (tmp_path / "find.onnx").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"find\.onnx .* does not match its hash"):
        load_bundle(tmp_path)


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    a_bundle(tmp_path)
    (tmp_path / "find.onnx").unlink()
    with pytest.raises(ModelError, match=r"lacks find\.onnx"):
        load_bundle(tmp_path)
    with pytest.raises(ModelError, match="no network 'segment'"):
        load_bundle(a_bundle(tmp_path)).onnx("segment")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}'])
def test_an_unreadable_description_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "bundle.json").write_text(text)
    with pytest.raises(ModelError, match="cannot be read"):
        load_bundle(tmp_path)


def test_a_folder_without_bundle_and_a_newer_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"bundle\.json is missing"):
        load_bundle(tmp_path)
    with pytest.raises(ModelError, match=f"format {FORMAT + 1}"):
        load_bundle(a_bundle(tmp_path, format=FORMAT + 1))


def test_every_shipped_bundle_is_whole_and_has_a_card() -> None:
    for bundle in shipped_bundles():
        card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
        assert "Research use only" in card
        assert bundle.version in card

"""`wirbel info` says what is installed."""

import json

from tests.network.tiny_bundle import tiny_bundle

from wirbel import __version__
from wirbel.cli.main import run


def test_info_names_versions_networks_and_hardware(capsys):
    assert run(["info"]) == 0
    text = capsys.readouterr().out
    assert f"wirbel {__version__}" in text
    assert "research use only" in text
    assert "Networks" in text
    assert "processors" in text


def test_info_for_machines_is_json_and_nothing_else(capsys):
    assert run(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["wirbel"] == __version__
    assert found["packages"]["numpy"]
    assert isinstance(found["bundles"], list)
    assert found["processors"] >= 1


def test_every_bundle_is_listed_with_its_cards_title_or_its_damage(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("wirbel.cli.installation.SHIPPED", tmp_path)
    tiny_bundle(tmp_path / "fracture")
    assert run(["info"]) == 0
    text = capsys.readouterr().out
    assert "fracture 0.0.1  sha256" in text
    assert "Tiny classifier, version 0 (MODEL_CARD.md)" in text
    assert "scorer.json  sha256" in text
    (tmp_path / "fracture" / "b2_0.onnx").unlink()
    assert run(["info"]) == 0
    assert "fracture: bundle 'fracture' lacks b2_0.onnx" in capsys.readouterr().out

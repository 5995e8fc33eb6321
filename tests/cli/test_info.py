"""`wirbel info` says what is installed."""

import json

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

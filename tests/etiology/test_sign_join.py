"""Signs in a fracture's score: trees as plain numbers, the sum, and files that are not what they should be."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from wirbel.errors import InputRejected, ModelError
from wirbel.etiology.sign_join import JOIN, SignJoin, read_join, write_join
from wirbel.etiology.tree_model import Node, TreeModel, model_of

#: Cortex over 0.3: -1, else (unknown too) density over 100: -0.5, under it 2.
TREE = (
    Node("cortex", 0.3, missing_left=True, left=1, right=2),
    Node("density", 100.0, left=3, right=4),
    Node(None, value=-1.0),
    Node(None, value=2.0),
    Node(None, value=-0.5),
)
MODEL = TreeModel((TREE, (Node(None, value=0.25),)), 0.1, "drawings")
OTHER = TreeModel((TREE,), 1.1, "other drawings")


@pytest.mark.parametrize(
    ("values", "leaves"),
    [
        ({"cortex": 0.5, "density": 50.0}, -1.0),
        ({"cortex": 0.3, "density": 100.0}, 2.0),
        ({"cortex": 0.1, "density": 100.5}, -0.5),
        ({"density": 50.0}, 2.0),
        ({}, -0.5),
    ],
)
def test_a_vertebra_falls_into_the_leaf_that_its_signs_lead_to(values: dict[str, float], leaves: float) -> None:
    assert MODEL.log_odds(values) == pytest.approx(0.1 + leaves + 0.25)


def test_the_sum_moves_every_network_by_what_the_signs_say() -> None:
    join = SignJoin((MODEL, OTHER), bias=-0.5, network=0.6, signs=0.7, crop_voxels=80)
    own = (0.1 + 2.0 + 0.25 + 1.1 + 2.0) / 2
    said = join.joined((1.0, -2.0), {"cortex": 0.0, "density": 10.0})
    assert said == pytest.approx((-0.5 + 0.6 + 0.7 * own, -0.5 - 1.2 + 0.7 * own))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    join = SignJoin((MODEL, OTHER), -0.5, 0.6, 0.7, 80)
    write_join(tmp_path / JOIN, join)
    assert read_join(tmp_path / JOIN) == join
    assert [p.name for p in tmp_path.iterdir()] == [JOIN]


@pytest.mark.parametrize(
    "tree",
    [
        (Node("cortex", 0.3, left=0, right=1), Node(None)),
        (Node("cortex", 0.3, left=1, right=5), Node(None)),
        (Node("cortex", float("nan"), left=1, right=1), Node(None)),
        (),
    ],
)
def test_a_tree_that_leads_in_circles_or_nowhere_is_refused(tree: tuple[Node, ...]) -> None:
    with pytest.raises(InputRejected, match="train it again"):
        TreeModel((tree,), 0.0, "drawings")


def test_a_damaged_file_names_itself(tmp_path: Path) -> None:
    path = tmp_path / JOIN
    plain = asdict(SignJoin((MODEL,), 0.0, 1.0, 1.0, 80))
    for damaged in ("{", "[]", json.dumps({**plain, "models": []}), json.dumps({**plain, "signs": None})):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(ModelError, match=JOIN):
            read_join(path)
    assert model_of(asdict(MODEL)) == MODEL

"""The published schema and the values it speaks of."""

import json
from enum import Enum
from pathlib import Path

import pytest

from wirbel.etiology import Tier
from wirbel.finding import Caution, Shape, Verdict, Why
from wirbel.report import schema
from wirbel.vertebra import Reason

DEFS = schema()["$defs"]


def test_the_published_schema_is_the_one_in_the_package() -> None:
    published = Path(__file__).parents[2] / "docs" / "result.schema.json"
    assert json.loads(published.read_text(encoding="utf-8")) == schema()


@pytest.mark.parametrize(
    ("enum", "listed"),
    [
        (Reason, DEFS["not_measured"]["properties"]["not_measured"]["enum"]),
        (Verdict, DEFS["finding"]["properties"]["verdict"]["enum"]),
        (Why, DEFS["finding"]["properties"]["reasons"]["items"]["enum"]),
        (Shape, DEFS["finding"]["properties"]["shape"]["anyOf"][0]["enum"]),
        (Tier, DEFS["cause"]["properties"]["answer"]["anyOf"][0]["enum"]),
        (Caution, schema()["properties"]["cautions"]["items"]["enum"]),
    ],
)
def test_the_schema_lists_every_value(enum: type[Enum], listed: list[object]) -> None:
    assert [value.value for value in enum] == listed

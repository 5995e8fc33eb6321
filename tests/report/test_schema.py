"""The published schema and the values it speaks of."""

import json
from enum import Enum
from pathlib import Path

import pytest

from wirbel.etiology import HeatMethod, Interval, Refusal, Sex, Suspicion, Tier, TierRule
from wirbel.finding import Caution, Shape, Verdict, Why
from wirbel.finding.signs import Sign
from wirbel.finding.signs.record import UNITS
from wirbel.report import schema
from wirbel.vertebra import Reason

DEFS = schema()["$defs"]
CAUSE = DEFS["cause"]["properties"]


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
        (Tier, CAUSE["answer"]["anyOf"][0]["enum"]),
        (Interval, CAUSE["interval"]["anyOf"][0]["enum"]),
        (TierRule, CAUSE["rule"]["anyOf"][0]["enum"]),
        (Refusal, CAUSE["reasons"]["items"]["enum"]),
        (Suspicion, CAUSE["suspicion"]["anyOf"][0]["enum"]),
        (HeatMethod, CAUSE["heat"]["anyOf"][0]["properties"]["method"]["enum"]),
        (Sex, schema()["properties"]["clinical"]["properties"]["sex"]["anyOf"][0]["enum"]),
        (Sign, DEFS["signs"]["properties"]["signs"]["required"]),
        (Caution, schema()["properties"]["cautions"]["items"]["enum"]),
    ],
)
def test_the_schema_lists_every_value(enum: type[Enum], listed: list[object]) -> None:
    assert [value.value for value in enum] == listed


def test_the_schema_knows_every_unit_of_a_sign() -> None:
    assert set(DEFS["sign"]["anyOf"][0]["properties"]["unit"]["enum"]) == set(UNITS.values())

"""A number with its uncertainty: what every function of this package hands back."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its two-sided confidence interval, on how many units it rests, and how it was found.

    `value`, `low` and `high` may be infinite (a likelihood ratio without false positives), never NaN; a
    function that cannot give an interval refuses with a ValueError instead. The value need not lie inside a
    bootstrap interval, so only `low <= high` is held.
    """

    value: float
    low: float
    high: float
    level: float
    n: int
    method: str

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = float(getattr(self, name))
            if math.isnan(number):
                raise ValueError(f"{name} of an estimate ({self.method}) must be a number, got NaN")
            object.__setattr__(self, name, number)
        if not self.low <= self.high:
            raise ValueError(f"low must not exceed high ({self.method}), got {self.low} and {self.high}")
        object.__setattr__(self, "level", valid_level(self.level))
        if int(self.n) != self.n or self.n < 0:
            raise ValueError(f"n must be a whole number of units ({self.method}), got {self.n}")
        object.__setattr__(self, "n", int(self.n))

    def __str__(self) -> str:
        return self.text()

    def text(self, digits: int = 2) -> str:
        """As a paper prints it: `0.82 (95 % CI 0.74-0.89)`; `to` instead of the dash where a bound is negative."""
        low, high = (_plain(x, digits) for x in (self.low, self.high))
        between = " to " if self.low < 0 else "-"
        return f"{_plain(self.value, digits)} ({100 * self.level:g} % CI {low}{between}{high})"

    def to_json(self) -> dict[str, float | int | str]:
        """Plain numbers and strings under the fields' names; JSON knows no infinity, so that is `"inf"`."""
        return {
            "value": _json_number(self.value),
            "low": _json_number(self.low),
            "high": _json_number(self.high),
            "level": self.level,
            "n": self.n,
            "method": self.method,
        }


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """A blank in a record of estimates: why there is no figure."""

    reason: str

    def __str__(self) -> str:
        return f"not estimable: {self.reason}"

    def to_json(self) -> dict[str, str]:
        """The reason under its name."""
        return {"not_estimable": self.reason}


@dataclass(frozen=True, slots=True)
class Significance:
    """A test of a null hypothesis: its statistic, degrees of freedom (infinite for a normal one), p and name."""

    statistic: float
    df: float
    p: float
    method: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.p <= 1.0:
            raise ValueError(f"p must lie in [0, 1] ({self.method}), got {self.p}")

    def to_json(self) -> dict[str, float | str]:
        """Plain numbers and strings under the fields' names."""
        return {
            "statistic": _json_number(self.statistic),
            "df": _json_number(self.df),
            "p": self.p,
            "method": self.method,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference (first minus second) with its interval, and the test that it is zero."""

    difference: Estimate
    test: Significance

    def to_json(self) -> dict[str, object]:
        """Both parts as plain JSON values."""
        return {"difference": self.difference.to_json(), "test": self.test.to_json()}


def valid_level(level: float) -> float:
    """The confidence level as a float, or a ValueError for anything outside (0, 1)."""
    number = float(level)
    if not 0.0 < number < 1.0:
        hint = f"; did you mean {number / 100:g}?" if 1.0 < number < 100.0 else ""
        raise ValueError(f"the confidence level must lie between 0 and 1, got {level}{hint}")
    return number


def _plain(number: float, digits: int) -> str:
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    text = f"{number:.{digits}f}"
    return text if float(text) != 0 else text.lstrip("-")


def _json_number(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)

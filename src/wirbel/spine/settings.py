"""Numbers of the naming decoder, each with its source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpineSettings:
    """Settings of `name_levels`."""

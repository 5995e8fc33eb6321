"""All settings of the chain in one record, and flat for the provenance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum

from wirbel.etiology import EtiologySettings
from wirbel.finding import FindingSettings
from wirbel.finding.signs import SignSettings
from wirbel.spine import SpineSettings
from wirbel.spine.shift import NamedVertebra
from wirbel.vertebra import VertebraSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """The rooms' settings, and what a reader corrected: `shift_levels` renames a whole column (1: L1 becomes L2),
    `named` names one vertebra from which the others are counted."""

    spine: SpineSettings = field(default_factory=SpineSettings)
    vertebra: VertebraSettings = field(default_factory=VertebraSettings)
    finding: FindingSettings = field(default_factory=FindingSettings)
    signs: SignSettings = field(default_factory=SignSettings)
    etiology: EtiologySettings = field(default_factory=EtiologySettings)
    shift_levels: int = 0
    named: NamedVertebra | None = None


def flat(settings: object) -> dict[str, object]:
    """A settings record as `room.name: value`, values of JSON's kinds, in the order of the record."""
    return dict(_leaves("", settings))


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    if is_dataclass(value) and not isinstance(value, type):
        for member in fields(value):
            yield from _leaves(_below(name, member.name), getattr(value, member.name))
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _leaves(_below(name, _word(key)), entry)
    else:
        yield name, _plain(value)


def _below(name: str, member: str) -> str:
    return f"{name}.{member}" if name else member


def _word(key: object) -> str:
    if isinstance(key, Enum):
        return key.name
    return "-".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list | frozenset | set):
        members = sorted(value, key=str) if isinstance(value, frozenset | set) else value
        return [_plain(member) for member in members]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)

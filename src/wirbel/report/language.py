"""The words of one language: texts from a table, numbers, dates and levels as its readers write them."""

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from wirbel.errors import UsageError
from wirbel.spine import Level

#: Languages of the report, each with its table in `texts/`.
LANGUAGES = ("en", "de", "nl")


@dataclass(frozen=True, slots=True)
class Language:
    """Texts by `section.key`; several wordings run from the one with most fields to the one with none."""

    code: str
    texts: Mapping[str, tuple[str, ...]]

    def say(self, key: str, /, **fields: str | None) -> str:
        """The first wording whose fields are all there; raises `KeyError` where no wording can be filled."""
        given = {name: value for name, value in fields.items() if value is not None}
        for wording in self.texts[key]:
            if fields_of(wording) <= given.keys():
                return wording.format(**given)
        raise KeyError(f"{key} in {self.code!r} asks for fields that are missing: has {sorted(given)}")

    def has(self, key: str) -> bool:
        """Whether there is a text under this key."""
        return key in self.texts

    def counted(self, key: str, count: int, **fields: str | None) -> str:
        """The wording for one (`key_one`) or several (`key_many`) things."""
        return self.say(f"{key}_one" if count == 1 else f"{key}_many", count=str(count), n=str(count), **fields)

    def number(self, value: int | float, digits: int = 1) -> str:
        """A figure with the decimal mark of the language; no negative zero."""
        text = f"{value:.{digits}f}"
        if float(text) == 0:
            text = text.lstrip("-")
        return text.replace("-", "−").replace(".", self.say("language.decimal"))

    def unit(self, name: str, value: int | float, digits: int = 1) -> str:
        """A figure with its unit; `percent` takes a fraction of one."""
        return self.say(f"unit.{name}", value=self.number(100 * value if name == "percent" else value, digits))

    def level(self, level: Level) -> str:
        """A level as the language's radiologists write it (T12, BWK 12, Th12)."""
        return self.say(f"language.region_{level.region}", n=level.name[1:])

    def enumeration(self, parts: list[str]) -> str:
        """`a, b and c`."""
        if len(parts) < 2:
            return "".join(parts)
        return f"{', '.join(parts[:-1])} {self.say('language.and')} {parts[-1]}"


def fields_of(wording: str) -> set[str]:
    """The names in curly brackets."""
    return {name for _, name, _, _ in string.Formatter().parse(wording) if name}


@cache
def language(code: str) -> Language:
    """The language with this code; raises `UsageError` for one that is not there."""
    if code not in LANGUAGES:
        raise UsageError(f"no report in language {code!r}: choose one of {', '.join(LANGUAGES)}")
    raw = files("wirbel.report").joinpath("texts", f"{code}.toml").read_text(encoding="utf-8")
    return Language(
        code,
        {
            f"{section}.{key}": tuple(value) if isinstance(value, list) else (value,)
            for section, entries in tomllib.loads(raw).items()
            for key, value in entries.items()
        },
    )

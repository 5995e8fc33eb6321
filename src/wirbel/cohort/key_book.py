"""The key: which pseudonym stands for whom. It lies apart from the cohort, readable by its owner alone.

Pseudonyms are drawn at random, so that nobody can compute them from a patient's number: the key is the only way
back.
"""

import csv
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wirbel.cohort.identity import Identity
from wirbel.cohort.table import table_text
from wirbel.cohort.whole_files import write_whole
from wirbel.errors import DeliveryError, InputRejected, UsageError

COLUMNS = ("pseudonym", "session", "patient", "study", "accession", "input", "outcome")
#: Letters of pseudonyms: none that is read as another.
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 8


@dataclass(frozen=True, slots=True, repr=False)
class KeyEntry:
    """One study's line; `repr` hides everything."""

    pseudonym: str
    session: int
    patient: str
    study: str
    accession: str
    input: str
    outcome: str = ""

    def __repr__(self) -> str:
        return f"KeyEntry(sub-{self.pseudonym} ses-{self.session:02d})"

    @property
    def stem(self) -> str:
        """The study's name in the cohort."""
        return f"sub-{self.pseudonym}_ses-{self.session:02d}"


@dataclass(frozen=True, slots=True, repr=False)
class KeyBook:
    """All studies ever imported into a cohort."""

    entries: tuple[KeyEntry, ...] = ()

    def __repr__(self) -> str:
        return f"KeyBook({len(self.entries)} studies)"

    def entry_of(self, identity: Identity) -> KeyEntry | None:
        """The study's line, where it is known."""
        return next((e for e in self.entries if (e.patient, e.study) == (identity.patient, identity.study)), None)

    def with_study(self, identity: Identity, name: str) -> "KeyBook":
        """The book with the study in it: the patient's pseudonym, and the next session."""
        if self.entry_of(identity) is not None:
            return self
        own = [e for e in self.entries if e.patient == identity.patient]
        pseudonym = own[0].pseudonym if own else self._new()
        session = max((e.session for e in own), default=0) + 1
        entry = KeyEntry(pseudonym, session, identity.patient, identity.study, identity.accession or "", name)
        return KeyBook((*self.entries, entry))

    def with_outcome(self, stem: str, outcome: str) -> "KeyBook":
        """The book with what came of a study."""
        told = " ".join(outcome.split())
        return KeyBook(tuple(replace(e, outcome=told) if e.stem == stem else e for e in self.entries))

    def _new(self) -> str:
        taken = {e.pseudonym for e in self.entries}
        while True:
            name = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
            if name not in taken:
                return name


def check_apart(key: Path, cohort: Path) -> None:
    """Refuse a key inside the cohort: whoever gets the cohort would get the names."""
    if key.resolve().is_relative_to(cohort.resolve()):
        raise UsageError(f"the key {key.name!r} would lie in the cohort: name a place elsewhere with --key")


def read_key_book(path: Path) -> KeyBook:
    """The key, empty where there is none yet; raises `InputRejected` where the file is no key."""
    if not path.exists():
        return KeyBook()
    try:
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline=""), delimiter="\t"))
    except OSError as exc:
        raise DeliveryError(f"{path.name}: the key cannot be read ({exc.strerror})") from exc
    except UnicodeDecodeError as exc:
        raise InputRejected(f"{path.name}: this is no key of a cohort: name another with --key") from exc
    if not rows or tuple(rows[0]) != COLUMNS or any(len(r) != len(COLUMNS) or not r[1].isdigit() for r in rows[1:]):
        raise InputRejected(f"{path.name}: this is no key of a cohort: name another with --key")
    return KeyBook(tuple(KeyEntry(row[0], int(row[1]), *row[2:]) for row in rows[1:]))


def write_key_book(path: Path, book: KeyBook) -> None:
    """Write the key whole, for its owner alone (mode 0600)."""
    rows: Sequence[Sequence[str]] = [
        (e.pseudonym, str(e.session), e.patient, e.study, e.accession, e.input, e.outcome) for e in book.entries
    ]
    write_whole(path, table_text(COLUMNS, rows), mode=0o600)

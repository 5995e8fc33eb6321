"""How each verdict looks: a colour on the dark picture, one on paper, a sign that needs no colour."""

from dataclasses import dataclass
from enum import StrEnum

from wirbel.finding import Verdict


@dataclass(frozen=True, slots=True)
class Tone:
    """Colours and weight of one verdict."""

    on_picture: str
    on_paper: str
    weight: float
    dashed: bool = False


TONES: dict[Verdict, Tone] = {
    Verdict.NORMAL: Tone("#6fd3c4", "#1d6f67", 1.4),
    Verdict.BORDERLINE: Tone("#ffc44d", "#8f6100", 2.2),
    Verdict.HEIGHT_LOSS: Tone("#a9b8ff", "#4450a8", 2.0),
    Verdict.FRACTURE: Tone("#ff6254", "#b8261b", 2.6),
    Verdict.NOT_ASSESSED: Tone("#c3c8d0", "#626b78", 1.2, dashed=True),
}


class CauseTone(StrEnum):
    """The looks of a cause."""

    OSTEOPOROTIC = "osteoporotic"
    MALIGNANT = "malignant"
    UNCERTAIN = "uncertain"
    SUSPICIOUS = "suspicious"
    UNSAID = "unsaid"


#: Colours on paper that differ from those of the verdicts; white words are legible on each.
CAUSE_COLOURS: dict[CauseTone, str] = {
    CauseTone.OSTEOPOROTIC: "#1f5fa8",
    CauseTone.MALIGNANT: "#6a1b8a",
    CauseTone.UNCERTAIN: "#7a5a00",
    CauseTone.SUSPICIOUS: "#a34a00",
    CauseTone.UNSAID: "#626b78",
}
INK, MUTED, RULE, PAPER = "#1b2430", "#626b78", "#d9dee5", "#ffffff"

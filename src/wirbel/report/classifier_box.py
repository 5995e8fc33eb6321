"""What has to be said wherever a classifier has answered: on what it was trained, and what it is not for."""

from dataclasses import dataclass

from wirbel.report.cause_words import FRACTURED, has_classifier
from wirbel.report.wording import Wording


@dataclass(frozen=True, slots=True)
class Box:
    """A box in plain words."""

    title: str
    text: str


def classifier_box(wording: Wording) -> Box | None:
    """The box; none where no classifier was there to be asked."""
    if not has_classifier(wording.result):
        return None
    say, made = wording.language.say, wording.result.provenance
    if made.classifier_simulated:
        return Box(say("classifier.box_title"), say("classifier.box"))
    texts = [say("classifier.box_other")]
    if FRACTURED in made.simulated_calibrations:
        texts.insert(0, say("classifier.box_calibration"))
    return Box(say("classifier.box_title_other"), " ".join(texts))


def box_sentence(wording: Wording) -> str:
    """The box as one line of text, empty where there is none."""
    box = classifier_box(wording)
    return "" if box is None else f"{box.title}. {box.text}"


def training_mark(wording: Wording) -> str:
    """`simulated training data`, to stand at every figure that rests on it; else empty."""
    made = wording.result.provenance
    simulated = made.classifier_simulated or FRACTURED in made.simulated_calibrations
    return wording.language.say("classifier.simulated") if simulated and has_classifier(wording.result) else ""

"""The answers of the study's authors' code: `sub-X_pred.json` beside the other derivatives.

`{"FileID": "sub-X", "T12": {"pred": 0 or 1, "uncert": 0 or 1}, ...}`; pred 1 is malignant, uncert 1 is uncertain.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import DeliveryError, InputRejected
from wirbel.spine import Level


@dataclass(frozen=True, slots=True)
class Prediction:
    """One vertebra's answer: malignant or not, and whether the answer is to be taken as uncertain."""

    level: Level
    is_malignant: bool
    is_uncertain: bool


@dataclass(frozen=True, slots=True)
class FilePredictions:
    """All answers for one image, vertebrae from the head downward."""

    file_id: str
    vertebrae: tuple[Prediction, ...]

    def __post_init__(self) -> None:
        levels = [p.level for p in self.vertebrae]
        if len(set(levels)) < len(levels):
            raise InputRejected(f"{self.file_id}: two answers for one vertebra: keep one", code="TWICE")
        ordered = tuple(sorted(self.vertebrae, key=lambda p: p.level.rank))
        object.__setattr__(self, "vertebrae", ordered)


def predictions_text(predictions: FilePredictions) -> str:
    """The file's text."""
    plain: dict[str, object] = {"FileID": predictions.file_id}
    for p in predictions.vertebrae:
        plain[p.level.name] = {"pred": int(p.is_malignant), "uncert": int(p.is_uncertain)}
    return json.dumps(plain) + "\n"


def write_predictions(path: Path, predictions: FilePredictions) -> None:
    """Write the authors' form."""
    try:
        path.write_text(predictions_text(predictions), encoding="utf-8")
    except OSError as exc:
        raise DeliveryError(f"{path.name} could not be written: {exc.strerror}") from exc


def read_predictions(path: Path) -> FilePredictions:
    """Read the authors' form; raises `InputRejected` with the entry that is none."""
    try:
        plain = json.loads(path.read_text("utf-8"))
    except (ValueError, UnicodeDecodeError) as exc:
        raise InputRejected(f"{path.name}: no JSON text: write the predictions again") from exc
    except OSError as exc:
        raise DeliveryError(f"{path.name}: cannot be read ({exc.strerror})") from exc
    if not isinstance(plain, dict) or not isinstance(plain.get("FileID"), str):
        raise InputRejected(f"{path.name}: no FileID: this is no file of predictions")
    found = [_prediction(name, answer, path.name) for name, answer in plain.items() if name != "FileID"]
    return FilePredictions(plain["FileID"], tuple(found))


def _prediction(name: str, answer: object, file: str) -> Prediction:
    if name not in Level.__members__:
        raise InputRejected(f"{file}: {name!r} is no vertebra: write T1 to L6")
    values = [answer.get(key) for key in ("pred", "uncert")] if isinstance(answer, dict) else []
    if len(values) != 2 or any(value not in (0, 1) for value in values):
        raise InputRejected(f"{file}, {name}: pred and uncert must be 0 or 1, got {answer!r}")
    return Prediction(Level[name], bool(values[0]), bool(values[1]))

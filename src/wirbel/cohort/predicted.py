"""A result of the main job in the form of the study's authors' code."""

from pathlib import Path
from secrets import token_hex

from wirbel.cohort.predictions import FilePredictions, Prediction, write_predictions
from wirbel.errors import DeliveryError
from wirbel.etiology import Cause, Tier
from wirbel.study import StudyResult

ENDINGS = (".gz", ".nii", ".zip", ".dcm")
#: What a BIDS name of a CT ends with.
MODALITY = "_ct"


def file_id_of(name: str) -> str:
    """The name without endings: `sub-X` of `sub-X_ct.nii.gz`."""
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name.removesuffix(MODALITY)


def predictions_of(result: StudyResult, file_id: str) -> FilePredictions:
    """The vertebrae that have an answer and a level.

    The form knows two answers and a doubt: where the answer is uncertain, `pred` is the side of one half on which
    the probability lies, or osteoporotic where there is none. A suspicion in an unfractured vertebra is no answer.
    """
    found = [
        Prediction(vertebra.level, _is_malignant(cause), cause.answer is Tier.UNCERTAIN)
        for vertebra, cause in zip(result.spine.vertebrae, result.etiology.vertebrae, strict=True)
        if vertebra.level is not None and isinstance(cause.answer, Tier)
    ]
    return FilePredictions(file_id, tuple(found))


def deliver_predictions(folder: Path, result: StudyResult, name: str) -> Path:
    """Write `sub-X/sub-X_pred.json` below a folder (`derivatives` of a cohort), whole or not at all."""
    file_id = file_id_of(name)
    target = folder / file_id.split("_", 1)[0] / f"{file_id}_pred.json"
    partial = target.with_name(f".{target.name}-{token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_predictions(partial, predictions_of(result, file_id))
        partial.replace(target)
    except OSError as exc:
        raise DeliveryError(f"{target.name} could not be written: {exc.strerror}") from exc
    finally:
        partial.unlink(missing_ok=True)
    return target


def _is_malignant(cause: Cause) -> bool:
    if cause.answer is Tier.UNCERTAIN:
        return cause.p_malignant is not None and cause.p_malignant >= 0.5
    return cause.answer is Tier.MALIGNANT

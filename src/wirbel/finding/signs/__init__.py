"""The CT criteria of malignant and osteoporotic fractures, measured: numbers with pictures."""

from wirbel.finding.signs.measure import signs_of_all
from wirbel.finding.signs.picture import SignPicture, SignPlane, picture_of
from wirbel.finding.signs.record import Sign, Signs, SignValues, to_json, unit_of
from wirbel.finding.signs.settings import SignSettings
from wirbel.finding.signs.usual import stands_out

__all__ = [
    "Sign",
    "SignPicture",
    "SignPlane",
    "SignSettings",
    "SignValues",
    "Signs",
    "picture_of",
    "signs_of_all",
    "stands_out",
    "to_json",
    "unit_of",
]

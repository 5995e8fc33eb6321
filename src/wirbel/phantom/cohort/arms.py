"""The arms of a simulated cohort: how many patients and vertebrae of which cause, for what."""

from dataclasses import dataclass
from enum import StrEnum

from wirbel.errors import UsageError


class Split(StrEnum):
    """What a patient is used for; the words of a cohort's table."""

    TRAIN = "train"
    CALIBRATION = "calibration"
    TEST = "test"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Arm:
    """A group of patients with one purpose; counts are vertebrae, every patient has at least one.

    `mimics` are spread evenly over the mimic causes. An arm never mixes with another: no patient is in two.
    """

    name: str
    split: Split
    site: str
    patients: int
    osteoporotic: int = 0
    malignant: int = 0
    lesions: int = 0
    normal: int = 0
    mimics: int = 0
    discitis: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.patients <= self.vertebrae:
            raise UsageError(f"arm {self.name!r}: {self.patients} patients for {self.vertebrae} vertebrae")

    @property
    def vertebrae(self) -> int:
        """How many crops the arm has."""
        counts = (self.osteoporotic, self.malignant, self.lesions, self.normal, self.mimics, self.discitis)
        return sum(counts)


INTERNAL, EXTERNAL = "internal", "external"

#: The study's Table 3 (train, test, external), and what simulation can afford besides: sound vertebrae for whatever
#: is applied to unfractured ones, a calibration cohort used for nothing else, and large tests.
_FOREMAN = (
    Arm("train", Split.TRAIN, INTERNAL, 381, osteoporotic=378, malignant=447, lesions=482),
    Arm("train_sound", Split.TRAIN, INTERNAL, 482, normal=242, mimics=240),
    Arm("study_test", Split.TEST, INTERNAL, 86, osteoporotic=37, malignant=49),
    Arm("study_external", Split.EXTERNAL, EXTERNAL, 65, osteoporotic=30, malignant=35),
    Arm("calibration", Split.CALIBRATION, INTERNAL, 600, osteoporotic=258, malignant=342),
    Arm("calibration_unfractured", Split.CALIBRATION, INTERNAL, 300, lesions=150, normal=78, mimics=72),
    Arm("large_test", Split.TEST, INTERNAL, 1000, osteoporotic=430, malignant=570),
    Arm("large_external", Split.EXTERNAL, EXTERNAL, 1000, osteoporotic=600, malignant=400),
    Arm("large_unfractured", Split.TEST, INTERNAL, 600, lesions=200, normal=200, mimics=200),
    Arm("discitis", Split.TEST, INTERNAL, 60, discitis=60),
)
#: Half of the training data; the tests keep their sizes. For two cores and a night.
_NIGHT = (
    Arm("train", Split.TRAIN, INTERNAL, 190, osteoporotic=189, malignant=223, lesions=241),
    Arm("train_sound", Split.TRAIN, INTERNAL, 240, normal=120, mimics=120),
    Arm("study_test", Split.TEST, INTERNAL, 86, osteoporotic=37, malignant=49),
    Arm("study_external", Split.EXTERNAL, EXTERNAL, 65, osteoporotic=30, malignant=35),
    Arm("calibration", Split.CALIBRATION, INTERNAL, 300, osteoporotic=129, malignant=171),
    Arm("calibration_unfractured", Split.CALIBRATION, INTERNAL, 120, lesions=60, normal=28, mimics=32),
    Arm("large_test", Split.TEST, INTERNAL, 1000, osteoporotic=430, malignant=570),
    Arm("large_external", Split.EXTERNAL, EXTERNAL, 1000, osteoporotic=600, malignant=400),
    Arm("large_unfractured", Split.TEST, INTERNAL, 300, lesions=100, normal=100, mimics=100),
    Arm("discitis", Split.TEST, INTERNAL, 30, discitis=30),
)
#: Every arm, a few patients each: minutes.
_CI = (
    Arm("train", Split.TRAIN, INTERNAL, 24, osteoporotic=20, malignant=24, lesions=16),
    Arm("train_sound", Split.TRAIN, INTERNAL, 16, normal=8, mimics=8),
    Arm("study_test", Split.TEST, INTERNAL, 8, osteoporotic=4, malignant=4),
    Arm("study_external", Split.EXTERNAL, EXTERNAL, 8, osteoporotic=4, malignant=4),
    Arm("calibration", Split.CALIBRATION, INTERNAL, 16, osteoporotic=7, malignant=9),
    Arm("calibration_unfractured", Split.CALIBRATION, INTERNAL, 8, lesions=4, normal=2, mimics=2),
    Arm("large_test", Split.TEST, INTERNAL, 24, osteoporotic=10, malignant=14),
    Arm("large_external", Split.EXTERNAL, EXTERNAL, 24, osteoporotic=14, malignant=10),
    Arm("large_unfractured", Split.TEST, INTERNAL, 12, lesions=4, normal=4, mimics=4),
    Arm("discitis", Split.TEST, INTERNAL, 2, discitis=2),
)
PRESETS: dict[str, tuple[Arm, ...]] = {"foreman2024": _FOREMAN, "night": _NIGHT, "ci": _CI}
#: Edge of a preset's crops in voxels of 1 mm: 64 for the study's network, and room to turn and zoom in training.
CROP_VOXELS: dict[str, int] = {"foreman2024": 96, "night": 80, "ci": 72}

"""The opportunistic density reading: one level's HU against published thresholds, only where they hold."""

from collections.abc import Sequence

from wirbel.finding.finding import BoneScreen, ContrastPhase, DensityReading
from wirbel.finding.settings import ScreenSettings
from wirbel.spine import Level, Vertebra
from wirbel.vertebra import Density, NotMeasured, Reason, VertebraMeasures
from wirbel.volume import Acquisition, Kernel

#: L1, or a neighbour of it that is then named.
LEVELS = (Level.L1, Level.T12, Level.L2)


def reading_of(
    vertebrae: Sequence[Vertebra],
    measures: Sequence[VertebraMeasures],
    phase: ContrastPhase,
    acquisition: Acquisition,
    settings: ScreenSettings,
) -> DensityReading:
    """The median HU at L1 (else T12, L2) and what it means, or why the thresholds do not hold for this scan."""
    for level in LEVELS:
        for vertebra, own in zip(vertebrae, measures, strict=True):
            if vertebra.level is level and isinstance(own.density, Density):
                hu = own.density.median_hu
                return DensityReading(vertebra.label, hu, _screen(hu, phase, acquisition, settings), phase)
    return DensityReading(None, None, NotMeasured(Reason.NO_BODY, "none of L1, T12, L2 measured"), phase)


def _screen(
    hu: float, phase: ContrastPhase, acquisition: Acquisition, settings: ScreenSettings
) -> BoneScreen | NotMeasured:
    refused = _why_not(phase, acquisition, settings)
    if refused is not None:
        return refused
    if hu < settings.osteoporosis_below_hu:
        return BoneScreen.OSTEOPOROSIS_LIKELY
    return BoneScreen.LOW if hu < settings.normal_from_hu else BoneScreen.NORMAL


def _why_not(
    phase: ContrastPhase, acquisition: Acquisition, settings: ScreenSettings
) -> NotMeasured | None:
    """The first condition of the thresholds that is not met or not known."""
    if acquisition.spectral:
        return NotMeasured(Reason.SPECTRAL)
    if phase is not ContrastPhase.NATIVE or acquisition.contrast_agent:
        return NotMeasured(Reason.CONTRAST, phase.value)
    if acquisition.kvp is None or abs(acquisition.kvp - settings.kvp) > settings.kvp_tolerance:
        known = "unknown" if acquisition.kvp is None else f"{acquisition.kvp:.0f} kVp"
        return NotMeasured(Reason.TUBE_VOLTAGE, known)
    if acquisition.kernel is not Kernel.SOFT:
        return NotMeasured(Reason.KERNEL, acquisition.kernel.value)
    return None

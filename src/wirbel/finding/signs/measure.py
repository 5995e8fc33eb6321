"""The signs of all vertebrae: each against the patient's own unaffected ones."""

from collections.abc import Collection, Sequence

from wirbel.finding.signs.compare import Against, Sides, compared
from wirbel.finding.signs.marrow import difference_hu
from wirbel.finding.signs.plates import plates_of
from wirbel.finding.signs.record import Sign, Signs, SignValues
from wirbel.finding.signs.references import Reader
from wirbel.finding.signs.settings import SignSettings
from wirbel.finding.signs.sketch import Sketch
from wirbel.spine import Spine
from wirbel.vertebra import Density, NotMeasured, Reason, VertebraMeasures
from wirbel.volume import Acquisition, Volume


def signs_of_all(
    ct: Volume,
    spine: Spine,
    measures: Sequence[VertebraMeasures],
    settings: SignSettings,
    acquisition: Acquisition,
    *,
    labels: Collection[int] | None = None,
    suspects: Collection[int] = (),
) -> tuple[Signs, ...]:
    """The signs of the vertebrae in `labels` (None: of all), in the column's order.

    `measures` run in the column's order; their frames say where each vertebra's axes point. `suspects` are labels
    that are no reference while two others are in reach: fractured ones, and those in which something was seen.
    A vertebra that is cut by the border, cervical or sacral, holds cement or metal, or whose frame is not known has
    no signs but the reason; slices above `settings.coarsest_mm` leave the density alone.
    """
    wanted = {v.label for v in spine.vertebrae} if labels is None else set(labels)
    reader = Reader(ct, spine, measures, settings, frozenset(suspects))
    answer = []
    for index, vertebra in enumerate(spine.vertebrae):
        if vertebra.label in wanted:
            answer.append(_signs(reader, index, acquisition))
    return tuple(answer)


def _signs(reader: Reader, index: int, acquisition: Acquisition) -> Signs:
    vertebra, measures = reader.spine.vertebrae[index], reader.measures[index]
    why = reader.why_not(index)
    if why is not None:
        return Signs(vertebra.label, SignValues.blank(why))
    coarse_mm = max(acquisition.slice_mm, acquisition.craniocaudal_mm, *reader.ct.grid.spacing_mm)
    references = reader.densities_hu(index)
    density = measures.density
    own_hu = density.median_hu if isinstance(density, Density) else density
    apart = own_hu if isinstance(own_hu, NotMeasured) else difference_hu(own_hu, references)
    if coarse_mm > reader.settings.coarsest_mm:
        blank = SignValues.blank(NotMeasured(Reason.TOO_COARSE, f"slices of {coarse_mm:.1f} mm"))
        return Signs(vertebra.label, _with_density(blank, own_hu, apart))
    own = reader.sketch(index)
    if own.foreign is not None:
        return Signs(vertebra.label, SignValues.blank(own.foreign))
    return _compared(reader, index, own, (own_hu, apart), coarse_mm)


def _with_density(values: SignValues, own: float | NotMeasured, apart: float | NotMeasured) -> SignValues:
    table = {sign.value: values.of(sign) for sign in Sign}
    table[Sign.DENSITY.value], table[Sign.DENSITY_DIFFERENCE.value] = own, apart
    return SignValues(**table)


def _compared(
    reader: Reader,
    index: int,
    own: Sketch,
    density: tuple[float | NotMeasured, float | NotMeasured],
    coarse_mm: float,
) -> Signs:
    chosen = reader.references(index)
    sides = Sides(
        tuple(reader.sketch(i) for i in chosen if i < index),
        tuple(reader.sketch(i) for i in chosen if i > index),
    )
    labels = tuple(reader.spine.vertebrae[i].label for i in chosen)
    plates = plates_of(reader.ct, reader.spine, own.patch, reader.settings.plate)
    return compared(Against(reader.ct, reader.settings, own, sides, plates), density, coarse_mm, labels)

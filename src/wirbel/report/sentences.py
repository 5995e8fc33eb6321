"""One sentence each for the things a report says beside its answer."""

from wirbel.finding import Finding, Verdict
from wirbel.report.retold import anchor_of, detail_of, naming_of
from wirbel.report.rows import Row
from wirbel.report.wording import Wording
from wirbel.spine import NumberingStatus
from wirbel.study import SeriesRef
from wirbel.vertebra import BodyHeights, Density, NotMeasured, Reason


def is_simulated(wording: Wording) -> bool:
    """Whether a series' description says that the images are simulated."""
    result = wording.result
    return any(
        series.says_simulated for series in (result.series, result.heights_series, result.density_series)
    )


def technique_sentence(wording: Wording) -> str:
    """The series that was read, and which other ones gave heights and density."""
    result, say = wording.result, wording.language.say
    words = series_words(wording, result.series)
    sentence = say("sentence.technique", **words)
    others = (result.heights_series, result.density_series)
    if all(other.sha256 == result.series.sha256 for other in others):
        return sentence
    heights, density = (series_words(wording, other) for other in others)
    extra = say(
        "sentence.technique_heights",
        series=heights["series"],
        slice_mm=heights["slice_mm"],
        density_series=density["series"],
    )
    return f"{sentence} {extra}"


def series_words(wording: Wording, series: SeriesRef) -> dict[str, str]:
    """A series in words, unknown things as `not given`."""
    say, acquisition = wording.language.say, series.acquisition
    return {
        "series": series.series_number or say("study.not_given"),
        "plane": say(f"plane.{acquisition.plane.value}"),
        "slices": wording.language.counted("study.slices", series.slices),
        "slice_mm": wording.language.unit("mm", acquisition.slice_mm),
        "kernel": acquisition.kernel_name or say(f"kernel.{acquisition.kernel.value}"),
    }


def numbering_sentence(wording: Wording) -> str:
    """How far the names may be trusted, by what, and what else they might be."""
    language, numbering = wording.language, wording.result.spine.numbering
    probability = None if numbering.probability is None else language.number(numbering.probability, 2)
    namings = [sentence for anchor in numbering.anchors if (sentence := naming_of(language, anchor))]
    status = NumberingStatus.RELATIVE if wording.relative else numbering.status
    parts = [
        language.say(
            f"numbering.{status.value}",
            probability=probability,
            reason=" ".join(namings) or _numbering_reason(wording),
        )
    ]
    if status is not NumberingStatus.RELATIVE:
        parts += namings
    anchors = [anchor_of(language, anchor) for anchor in numbering.anchors if not naming_of(language, anchor)]
    if anchors:
        parts.append(language.say("numbering.anchors", list=wording.marked(", ".join(anchors))))
    if numbering.variants:
        names = [language.say(f"variant.{v.value.replace(' ', '_')}") for v in numbering.variants]
        parts.append(language.say("numbering.variant", list=", ".join(names)))
    if numbering.runner_up and numbering.runner_up_probability is not None:
        ends = [language.level(level) for level in (numbering.runner_up[0], numbering.runner_up[-1])]
        parts.append(
            language.say(
                "numbering.runner_up",
                range=wording.marked("–".join(ends)),
                probability=language.number(numbering.runner_up_probability, 2),
            )
        )
    return " ".join(parts)


def vertebra_sentence(wording: Wording, row: Row) -> str:
    """`L1: fracture, grade 2 (moderate), wedge, height loss 31 %.`"""
    say = wording.language.say
    name, finding = wording.named([row.vertebra]), row.finding
    loss = wording.loss(finding)
    if finding.verdict is not Verdict.FRACTURE:
        key = "borderline" if finding.verdict is Verdict.BORDERLINE else "height_loss"
        return say(f"sentence.{key}", name=name, loss=loss)
    if isinstance(finding.grade, NotMeasured):
        return say("sentence.fracture_not_graded", name=name, reason=wording.reason(finding.grade), loss=loss)
    if finding.shape is None:
        return say("sentence.fracture_no_shape", name=name, grade=_genant(wording, finding), loss=loss)
    return say(
        "sentence.fracture",
        name=name,
        grade=_genant(wording, finding),
        shape=say(f"shape.{finding.shape.value}"),
        loss=loss,
    )


def details(wording: Wording, row: Row) -> tuple[str, ...]:
    """Heights and reasons behind a vertebra's sentence."""
    if not isinstance(row.measures.heights, BodyHeights):
        return row.reasons
    anterior, middle, posterior = row.heights
    heights = wording.language.say("sentence.heights", anterior=anterior, middle=middle, posterior=posterior)
    return (heights, *_expected(wording, row), *row.reasons)


def density_sentences(wording: Wording, rows: tuple[Row, ...]) -> list[str]:
    """The density of every vertebra, in one sentence."""
    measured = [r for r in rows if isinstance(r.measures.density, Density)]
    if not measured:
        return []
    each = wording.marked(", ".join(f"{r.name} {r.density}" for r in measured))
    return [wording.language.say("sentence.density_values", list=each)]


def kyphosis_sentence(wording: Wording) -> str:
    """The Cobb angle with the levels it was taken between, or why there is none."""
    kyphosis = wording.result.findings.kyphosis
    if isinstance(kyphosis, NotMeasured):
        if kyphosis.reason is Reason.NO_NEIGHBOURS:
            return wording.language.say("kyphosis.too_few", detail=detail_of(wording.language, kyphosis) or None)
        return wording.language.say("kyphosis.none", reason=wording.reason(kyphosis))
    by_label = {v.label: v for v in wording.result.spine.vertebrae}
    upper, lower = (wording.name(by_label[label]) for label in (kyphosis.upper_label, kyphosis.lower_label))
    return wording.language.say(
        "kyphosis.value",
        upper=upper,
        lower=wording.marked(lower),
        cobb_deg=wording.language.unit("deg", kyphosis.cobb_deg, 0),
    )


def screen_sentence(wording: Wording) -> str:
    """The opportunistic reading of bone density, with its caveat."""
    reading, say = wording.result.findings.density, wording.language.say
    vertebra = next((v for v in wording.result.spine.vertebrae if v.label == reading.label), None)
    blank = reading.screen if isinstance(reading.screen, NotMeasured) else None
    if vertebra is None or reading.median_hu is None:
        words = _no_level(wording, blank) if blank else ""
    else:
        words = say(
            "screen.none" if blank else f"screen.{reading.screen}",
            name=wording.named([vertebra]),
            hu=wording.language.unit("hu", reading.median_hu, 0),
            reason=wording.reason(blank) if blank else None,
        )
    phase = f"{say('phase.label')}: {say(f'phase.{reading.phase.value}')}."
    return " ".join(part for part in (words, phase, say("screen.caveat")) if part)


def _numbering_reason(wording: Wording) -> str:
    reason = wording.result.spine.numbering.reason
    return wording.language.say(f"numbering_reason.{reason.value if reason else 'unknown'}")


def _expected(wording: Wording, row: Row) -> tuple[str, ...]:
    """The heights that were expected, where the verdict names them."""
    numbers = row.finding.numbers
    names = [f"expected_{part}_mm" for part in ("anterior", "middle", "posterior")]
    if not all(name in numbers for name in names):
        return ()
    anterior, middle, posterior = (wording.language.number(numbers[name]) for name in names)
    return (wording.language.say("sentence.expected", anterior=anterior, middle=middle, posterior=posterior),)


def _genant(wording: Wording, finding: Finding) -> str:
    return wording.language.say("grade.label", grade=wording.grade(finding))


def _no_level(wording: Wording, blank: NotMeasured) -> str:
    """Why no level could be used for screening."""
    if blank.reason is Reason.NO_BODY:
        return wording.language.say("screen.no_level_measured")
    return wording.language.say("screen.none_no_level", reason=wording.reason(blank))

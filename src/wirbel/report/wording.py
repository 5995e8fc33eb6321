"""Sentences for values: each verdict, reason and name, in one language, with its figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wirbel.finding import Caution, Finding, Verdict, Why
from wirbel.report.language import Language
from wirbel.report.retold import detail_of, note_of
from wirbel.spine import NumberingStatus, Vertebra
from wirbel.study import StudyResult
from wirbel.vertebra import Heights, NotMeasured

#: Endings of figures' names, their unit in the texts, and the digits shown.
UNITS = {"_mm3": ("mm3", 0), "_mm": ("mm", 1), "_deg": ("deg", 1), "_hu": ("hu", 0)}
#: Figures without unit in their name are fractions of one.
FRACTION = ("percent", 0)


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """The language and the column it speaks of."""

    language: Language
    result: StudyResult

    @property
    def relative(self) -> bool:
        """Whether the column has no level names."""
        return self.result.spine.numbering.status is NumberingStatus.RELATIVE or any(
            v.level is None for v in self.result.spine.vertebrae
        )

    def name(self, vertebra: Vertebra) -> str:
        """The name alone, for a picture or a table that says elsewhere when names are relative."""
        return vertebra.name if vertebra.level is None else self.language.level(vertebra.level)

    def marked(self, words: str) -> str:
        """Words that name levels, with `(relative numbering)` behind them where the column is not numbered."""
        return f"{words} ({self.language.say('language.relative')})" if self.relative else words

    def named(self, vertebrae: Sequence[Vertebra]) -> str:
        """`L1, L3 and L4`, marked."""
        return self.marked(self.language.enumeration([self.name(v) for v in vertebrae]))

    def ranged(self, vertebrae: Sequence[Vertebra]) -> str:
        """`T12–L4, L6`, runs of the column's order, marked."""
        return self.marked(", ".join(self.runs(vertebrae)))

    def runs(self, vertebrae: Sequence[Vertebra]) -> Iterable[str]:
        """`T12–L4`, `L6`: runs of the column's order, unmarked."""
        order = {v.label: i for i, v in enumerate(self.result.spine.vertebrae)}
        run: list[Vertebra] = []
        for vertebra in [*vertebrae, None]:
            if run and (vertebra is None or order[vertebra.label] != order[run[-1].label] + 1):
                first, last = self.name(run[0]), self.name(run[-1])
                yield first if len(run) == 1 else f"{first}, {last}" if len(run) == 2 else f"{first}–{last}"
                run = []
            if vertebra is not None:
                run.append(vertebra)

    def reason(self, blank: NotMeasured) -> str:
        """Why something is blank, with what the detail adds."""
        words = self.language.say(f"reason.{blank.reason.value}")
        detail = detail_of(self.language, blank)
        return f"{words} ({detail})" if detail else words

    def not_measured(self, blank: NotMeasured) -> str:
        """`not measured: ...`."""
        return self.language.say("not.measured", reason=self.reason(blank))

    def loss(self, finding: Finding) -> str:
        """The relative loss of height in per cent."""
        if isinstance(finding.loss, NotMeasured):
            return self.language.say("sentence.loss_unknown")
        return self.language.unit("percent", finding.loss, 0)

    def grade(self, finding: Finding) -> str:
        """`grade 2 (moderate)`, or why there is none."""
        if isinstance(finding.grade, NotMeasured):
            return self.reason(finding.grade)
        return self.language.say(f"grade.{finding.grade.value}")

    def not_assessed(self, finding: Finding) -> str:
        """`not assessed: ...`; also without a stated reason it never reads as normal."""
        blank = finding.not_assessed or next(
            (value for value in (finding.grade, finding.loss) if isinstance(value, NotMeasured)), None
        )
        if blank is None:
            return self.language.say(f"verdict.{Verdict.NOT_ASSESSED.value}")
        return self.language.say("not.assessed", reason=self.reason(blank))

    def reasons(self, finding: Finding, heights: Heights | None) -> list[str]:
        """Each reason of a verdict as a sentence with its figures, in order of weight."""
        figures = dict(finding.numbers)
        if not isinstance(finding.loss, NotMeasured):
            figures.setdefault("loss", finding.loss)
        if heights is not None:
            for part in ("anterior", "middle", "posterior"):
                figures.setdefault(f"{part}_mm", getattr(heights, f"{part}_mm"))
        fields = self.figures(figures)
        return [self.why(why, fields) for why in finding.reasons]

    def why(self, why: Why, fields: Mapping[str, str]) -> str:
        """The sentence of one reason; `fields` are figures that `figures` has put into words."""
        return self.language.say(f"why.{why.value}", **fields)

    def figures(self, numbers: Mapping[str, float]) -> dict[str, str]:
        """Figures with their units, by name; fractions appear in per cent."""
        words = {}
        for name, value in numbers.items():
            unit, digits = next((u for ending, u in UNITS.items() if name.endswith(ending)), FRACTION)
            words[name] = self.language.unit(unit, value, digits)
        return words

    def note(self, note: str) -> str:
        """A note of ingest, which is English, in the report's language; as it is where it has no counterpart."""
        return note_of(self.language, note)

    def caution(self, caution: Caution) -> str:
        """The warning's sentence with its figures."""
        variants = [
            self.language.say(f"variant.{v.value.replace(' ', '_')}") for v in self.result.spine.numbering.variants
        ]
        return self.language.say(
            f"caution.{caution.value}",
            craniocaudal_mm=self.language.unit("mm", self.result.heights_series.acquisition.craniocaudal_mm),
            variants=", ".join(variants) or None,
        )

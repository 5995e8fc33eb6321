"""The page of the preset foreman2024: our intervals beside the printed ones, and what follows."""

from __future__ import annotations

from wirbel.evaluation.foreman import METHODS, Comparison, Recomputation, Undecided
from wirbel.evaluation.pages import Page, Table

SHOWN = ("bootstrap of cases", "Wilson", "Clopper-Pearson", "Wald")


def foreman_page(answer: Recomputation) -> Page:
    """Tables 4 and 5 recomputed."""
    total = len(answer.comparisons)
    odd, points = answer.unexplained, answer.auc_is_one_operating_point
    close = sum(c.distance[answer.closest] < 0.0151 for c in answer.comparisons)
    sentences = [
        f"Of the methods tried, the {answer.closest} (95 % percentiles) comes closest to the printed intervals: "
        f"{answer.agreeing[answer.closest]} of {total} agree in both printed digits and {close} within one more "
        f"digit; Wilson's interval agrees in {answer.agreeing['Wilson']}.",
        *(
            f"No method explains the printed interval of the {c.measure} of {c.row.who}, {c.row.site} "
            f"({_count(c)}): printed {c.printed.low:.2f}-{c.printed.high:.2f}, by the {answer.closest} "
            f"{_range(c.ours[answer.closest])}."
            for c in odd
        ),
        f"Each of the {len(points)} printed AUC equals (sensitivity + specificity) / 2 of the printed counts to "
        "two "
        "digits: they are areas of a single operating point, not of a curve."
        if all(points.values())
        else "Not every printed AUC is that of one operating point.",
        *(_undecided_sentence(u) for u in answer.undecided),
    ]
    return Page(
        title="Foreman et al. 2024, Tables 4 and 5 recomputed from their counts",
        sentences=tuple(sentences),
        tables=(
            *(_table(answer, n) for n in (4, 5)),
            _method_table(answer),
            _undecided_table(answer.undecided),
        ),
        notes=(
            "Positive means malignant. Approach 3 leaves the undecided out of its counts; the readers of Table 5 "
            "judged all cases.",
            "* no method comes within a bootstrap's wobble (one and a half units of the last digit).",
        ),
        numbers={
            "closest": answer.closest,
            "mean_distance": answer.mean_distance,
            "agreeing": answer.agreeing,
            "intervals": [_numbers(c) for c in answer.comparisons],
            "auc_is_one_operating_point": answer.auc_is_one_operating_point,
            "undecided": [{f: getattr(u, f) for f in u.__dataclass_fields__} for u in answer.undecided],
        },
    )


def _table(answer: Recomputation, which: int) -> Table:
    rows = tuple(
        (
            f"{c.row.who}, {c.row.site}", c.measure, _count(c), f"{c.value:.3f}",
            f"{c.printed.low:.2f}-{c.printed.high:.2f}" + ("" if c.explained else " *"),
            *(_range(c.ours[m]) if m in c.ours else "-" for m in SHOWN),
            min(c.distance, key=lambda m: c.distance[m]),
        )
        for c in answer.comparisons if c.row.table == which
    )
    return Table(
        f"Table {which}", ("reading", "figure", "count", "value", "printed 95 % CI", *SHOWN, "closest"), rows
    )


def _method_table(answer: Recomputation) -> Table:
    return Table(
        "Which method comes closest",
        ("method", "mean distance to the printed ends", "agree in both digits", "of"),
        tuple(
            (
                m,
                f"{answer.mean_distance[m]:.4f}",
                str(answer.agreeing[m]),
                str(sum(m in c.ours for c in answer.comparisons)),
            )
            for m in METHODS
        ),
    )


def _undecided_table(undecided: tuple[Undecided, ...]) -> Table:
    return Table(
        "Approach 3: what leaving out the undecided does (sensitivity / specificity)",
        ("site", "undecided malignant", "undecided osteoporotic", "decided only (printed)", "undecided as wrong",
         "undecided as suspected malignancy"),
        tuple(
            (u.site, str(u.undecided_positive), str(u.undecided_negative), _pair(u.decided), _pair(u.as_wrong),
             _pair(u.as_suspected))
            for u in undecided
        ),
    )


def _undecided_sentence(u: Undecided) -> str:
    n = u.undecided_positive + u.undecided_negative
    return (
        f"In the {u.site} test set approach 3 leaves {n} cases undecided ({u.undecided_positive} malignant, "
        f"{u.undecided_negative} osteoporotic): among the decided sensitivity and specificity are "
        f"{_pair(u.decided)}; "
        f"with the undecided counted as wrong {_pair(u.as_wrong)}, as suspected malignancy {_pair(u.as_suspected)}."
    )


def _count(c: Comparison) -> str:
    r = c.row
    return {
        "auc": f"{r.positives} + {r.negatives}",
        "accuracy": f"{r.true_positive + r.true_negative}/{r.positives + r.negatives}",
        "sensitivity": f"{r.true_positive}/{r.positives}",
        "specificity": f"{r.true_negative}/{r.negatives}",
    }[c.measure]


def _range(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f}-{interval[1]:.3f}"


def _pair(both: tuple[float, float]) -> str:
    return f"{100 * both[0]:.0f} % / {100 * both[1]:.0f} %"


def _numbers(c: Comparison) -> dict[str, object]:
    return {
        "table": c.row.table, "who": c.row.who, "site": c.row.site, "figure": c.measure, "value": c.value,
        "printed": [c.printed.low, c.printed.high], "ours": c.ours, "explained": c.explained,
    }

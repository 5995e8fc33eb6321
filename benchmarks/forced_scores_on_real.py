"""Every complete body of the annotated real CTs through every scorer, whatever was found: the table of answers.

    python benchmarks/forced_scores_on_real.py --bundle b2=FOLDER [--bundle a2=FOLDER ...] [--masks FOLDER] [-o OUT]

No spinal lesion is seen in these CTs (most come from cancer cohorts), so a confident "malignant" is an error. In
use, none of the unfractured vertebrae would get such an answer: they are not asked, or only for a suspicion. Scored
are bodies from T1 to L5 that lie wholly in view. `--masks`: folder of earlier results (`<ct>/segmentation.nii.gz`)
that spares the segmenting; else masks of the hand-out where there are some, else the networks that ship.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import WirbelError
from wirbel.etiology import AuthorsThresholds, RawScore, RefusalSettings, Tier, authors_tier, tier_of
from wirbel.etiology.calibration import Calibration
from wirbel.etiology.refusal import Refusal, refusals_of
from wirbel.ingest import read_named_masks, read_study
from wirbel.network import load_spine_segmenter
from wirbel.network.bundle import SHIPPED, load_bundle
from wirbel.network.fracture_scorer import FractureScorer, complete, open_scorer, scores_of_all
from wirbel.spine import Segmenter, evidence_from_masks
from wirbel.study import Settings, StudyResult, StudySeries, analyse
from wirbel.volume import Volume

#: CT -> its masks in the hand-out.
MASKED = dict.fromkeys(("verse005", "verse006", "verse008", "totalseg-example-ct"), "vertebrae")
DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data"
REFUSED = "refused"
ANSWERS = (Tier.MALIGNANT.value, Tier.UNCERTAIN.value, Tier.OSTEOPOROTIC.value, REFUSED)


@dataclass(frozen=True, slots=True)
class Answer:
    """One body by one scorer."""

    ct: str
    vertebra: str
    verdict: str
    scorer: str
    log_odds: float | None
    authors: str
    certified: str
    suspicion: str
    reasons: str
    unrefused_authors: str
    unrefused_certified: str


def inputs(data: Path) -> dict[str, Path]:
    """The annotated CTs, and VerSe's."""
    names = sorted({p.stem for p in (data / "annotations").glob("*.json")} | {"verse005", "verse006", "verse008"})
    return {name: data / "ct" / name for name in names if (data / "ct" / name).is_dir()}


def ct_path(folder: Path) -> Path:
    """Where the CT itself lies."""
    return folder / "dicom" if (folder / "dicom").is_dir() else folder / "ct.nii.gz"


def segmenter_of(folder: Path, masks: Path | None) -> Segmenter:
    """Masks that are there, else the networks."""
    earlier = masks / folder.name / "segmentation.nii.gz" if masks is not None else None
    given = folder / f"{MASKED[folder.name]}.nii.gz" if folder.name in MASKED else earlier
    if given is None or not given.is_file():
        return load_spine_segmenter(bundle=load_bundle(SHIPPED / "spine"))
    labels = read_named_masks(given).labels
    scheme = "totalsegmentator" if folder.name == "totalseg-example-ct" else "verse"

    def segment(ct: Volume, /):
        return evidence_from_masks(labels, numbering=scheme, ct_grid=ct.grid)

    return segment


def answers_of(
    name: str, result: StudyResult, ct: Volume, scorer_name: str, scorer: FractureScorer
) -> list[Answer]:
    """All complete bodies of one CT by one scorer."""
    given = {
        raw.label: raw for raw in scores_of_all(scorer, ct, result.spine, result.measures, result.findings)
    }
    asked = [v.label for v in complete(result.spine, result.measures)]
    as_found = scorer(ct, result.spine, result.measures, result.findings, asked)
    plain = {raw.label: raw for raw in as_found}
    out = []
    measures = {m.label: m for m in result.measures}
    findings = {f.label: f for f in result.findings.vertebrae}
    for vertebra in complete(result.spine, result.measures):
        finding = findings[vertebra.label]
        reasons = [
            r
            for r in refusals_of(vertebra, measures[vertebra.label], finding, RefusalSettings())
            if r is not Refusal.NOT_ASSESSED
        ]
        raw = given.get(vertebra.label)
        if raw is None:
            reasons.append(Refusal.NO_SCORE)
        fitted = scorer.calibrations.fractured
        if raw is not None and _is_unlike(raw, fitted):
            reasons.append(Refusal.UNLIKE_TRAINING)
        out.append(
            Answer(
                name, vertebra.name, finding.verdict.value, scorer_name,
                None if raw is None else round(raw.log_odds, 3),
                REFUSED if reasons or raw is None else authors_tier(raw.log_odds, AuthorsThresholds()).value,
                "not calibrated" if fitted is None
                else REFUSED if reasons or raw is None else tier_of(raw.log_odds, fitted.tiers).value,
                _suspicion(plain.get(vertebra.label), scorer, refused=bool(reasons)),
                " ".join(reason.value for reason in reasons),
                REFUSED if raw is None else authors_tier(raw.log_odds, AuthorsThresholds()).value,
                "not calibrated" if fitted is None
                else REFUSED if raw is None else tier_of(raw.log_odds, fitted.tiers).value,
            )
        )  # fmt: skip
    return out


def _suspicion(raw: RawScore | None, scorer: FractureScorer, *, refused: bool) -> str:
    """What the calibration for unfractured vertebrae says."""
    fitted = scorer.calibrations.unfractured
    if fitted is None or not scorer.identity.trained_with_normals:
        return "not asked"
    if raw is None or refused or _is_unlike(raw, fitted):
        return REFUSED
    return "suspicious" if tier_of(raw.log_odds, fitted.tiers) is Tier.MALIGNANT else "nothing"


def _is_unlike(raw: RawScore, fitted: Calibration | None) -> bool:
    return fitted is not None and fitted.novelty is not None and fitted.novelty.is_unlike(raw.features)


def page(answers: Sequence[Answer], failed: dict[str, str]) -> str:
    """Counts by scorer and rule, and what none of n allows."""
    scorers = list(dict.fromkeys(a.scorer for a in answers))
    lines = [
        "# Complete bodies of real CTs, forced through the classifiers (trained on simulated images)",
        "",
        "| scorer | rule | bodies | " + " | ".join(ANSWERS) + " | none of n answered would still allow (3/n) |",
        "|---|---|---|" + "---|" * (len(ANSWERS) + 1),
    ]
    for scorer in scorers:
        own = [a for a in answers if a.scorer == scorer]
        for rule in ("authors", "certified", "unrefused_authors", "unrefused_certified"):
            counts = Counter(getattr(a, rule) for a in own)
            answered = sum(counts[tier] for tier in ANSWERS[:3])
            allowed = f"{min(3 / answered, 1.0):.3f}" if answered else "-"
            cells = " | ".join(str(counts[answer]) for answer in ANSWERS)
            said = rule.replace("unrefused_", "as if nothing were refused: ")
            lines.append(f"| {scorer} | {said} | {len(own)} | {cells} | {allowed} |")
        suspects = Counter(a.suspicion for a in own)
        lines += [f"| {scorer} | unfractured: {', '.join(f'{n} {w}' for w, n in suspects.items())} | {len(own)} |"
                  + " |" * 5]  # fmt: skip
    lines += [
        "",
        "## Each body",
        "",
        "| CT | vertebra | verdict | scorer | log-odds | authors | certified | unfractured | reasons |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for a in answers:
        score = "" if a.log_odds is None else f"{a.log_odds:.2f}"
        cells = (a.ct, a.vertebra, a.verdict, a.scorer, score, a.authors, a.certified, a.suspicion, a.reasons)
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"\nNot scored: {name}: {why}" for name, why in failed.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--bundle", action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--masks", type=Path)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    scorers = {name: open_scorer(Path(folder)) for name, _, folder in (b.partition("=") for b in given.bundle)}
    answers: list[Answer] = []
    failed: dict[str, str] = {}
    for name, folder in inputs(given.data).items():
        if given.only and name not in given.only:
            continue
        try:
            study = read_study(ct_path(folder))
            result = analyse(
                StudySeries(study.main, study.heights, study.density),
                segment=segmenter_of(folder, given.masks),
                settings=Settings(),
            )
        except WirbelError as exc:
            failed[name] = str(exc)
            continue
        for scorer_name, scorer in scorers.items():
            answers += answers_of(name, result, study.main.volume, scorer_name, scorer)
        study.main.release()
    text = page(answers, failed)
    print(text)
    if given.output is not None:
        given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

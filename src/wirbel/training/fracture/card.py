"""The model card of an ensemble: intended use, data, figures, limits; written where the bundle is."""

from collections.abc import Mapping, Sequence
from typing import Any

from wirbel.etiology import Calibration
from wirbel.training.fracture.recipe import Recipe
from wirbel.training.fracture.scores import Figure

_SEES = {
    "masked": "the vertebra's own voxels alone (everything outside its mask is hidden)",
    "context": "the vertebra and its surroundings in a bone and a soft-tissue window, its mask and its neighbours'",
}


def model_card(
    recipe: Recipe,
    config: Mapping[str, Any],
    figures: Sequence[Figure],
    calibrations: Mapping[str, Calibration],
    *,
    name: str,
    version: str,
    unfinished: Sequence[str] = (),
) -> str:
    """Markdown; every figure is called simulated where the data are. `unfinished`: sets that are not whole yet."""
    simulated, plan = bool(config["simulated"]), config["plan"]
    kind = "simulated (drawn) " if simulated else ""
    lines = [
        f"# {name}, version {version}{': trained on simulated data only' if simulated else ''}",
        "",
        "Research use only. Not a medical device; not for diagnosis or treatment.",
        "",
        "## Intended use",
        "",
        "Research on telling osteoporotic from malignant vertebral fractures on CT, T1 to L5, in adults. "
        + ("It may say of an unfractured vertebra that it is suspicious. " if recipe.trained_with_normals else "")
        + "Not for screening, not for deciding on biopsy or treatment, not for children.",
        "",
        "## What it is",
        "",
        f"{plan['folds']} networks of one plan (`wirbel train fracture --model {recipe.name}`, seed "
        f"{plan['fit']['seed']}), each trained without one fold of the patients; the score is the mean of their "
        f"log-odds. They see {_SEES[recipe.kind]}: 64 voxels of 1 mm a side. Weights are stored in half precision.",
        "",
        "## What went in",
        "",
        f"{config['crops']} {kind}vertebrae of {config['patients']} patients, {config['malignant']} of them "
        f"malignant ({', '.join(sorted(c.value for c in recipe.classes))})."
        + (" Where and how much was painted was a second task in training." if config["taught_by_paint"] else "")
        + (" No real patient went in." if simulated else ""),
        f"Data: sha256 {config['data_sha256']}.",
        "",
        f"## Figures{' (all simulated)' if simulated else ''}",
        "",
        "AUC of the ensemble's log-odds with 95 % interval, crops counted as independent; `out_of_fold`: single "
        "members on patients they never saw.",
        "",
        "| set | crops | malignant | AUC | 95 % |",
        "|---|---|---|---|---|",
    ]
    for f in figures:
        interval = f"{f.low:.3f} to {f.high:.3f}"
        lines.append(f"| {f.arm} ({f.what}) | {f.crops} | {f.malignant} | {f.auc:.3f} | {interval} |")
    part = [f.arm for f in figures if f.arm in unfinished]
    if part:
        lines += ["", f"Only a part of {', '.join(part)} had been drawn when this was written."]
    lines += ["", "## Calibration", ""]
    for population, fitted in calibrations.items():
        tiers = fitted.tiers
        promised = [
            f"{bound} error at most {b.alpha:g}: {'certified' if b.certified else 'not certified'}"
            for bound, b in (("missed", tiers.missed), ("false-alarm", tiers.false_alarm))
        ]
        lines.append(
            f"- {population}: {fitted.cohort.malignant} malignant and {fitted.cohort.benign} other {kind}patients, "
            f"map {fitted.map.kind.value}, prevalence {fitted.cohort.prevalence:.2f}; {'; '.join(promised)}."
        )
    if not calibrations:
        lines.append("None: scores are log-odds without a meaning as probability (`wirbel recalibrate`).")
    lines += ["", "## Limits", ""]
    if simulated:
        lines += [
            "- **No real fracture was seen.** Drawings resemble CTs in some respects and not in others; nothing "
            "follows from these figures for patients. Train on your own cohort before you believe a score.",
        ]
    if not recipe.trained_with_normals:
        lines.append("- Says nothing of unfractured vertebrae: it was not trained with sound ones.")
    lines += [
        "- Cervical and sacral vertebrae, cement, metal, cut or poorly outlined vertebrae are refused first.",
        "- At another hospital errors differ: recalibrate with its own labelled cases.",
        "- Infection, primary tumours and trauma are not among its answers.",
        "",
    ]
    return "\n".join(lines)

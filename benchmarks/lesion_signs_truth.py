"""How far single signs, and all of them together, tell osteoporotic from malignant fractures: truth only.

    python benchmarks/lesion_signs_truth.py [N] [FIGURE.png]

Simulated. Draws N plans a cause and difficulty (default 4000) without painting any; prints the AUC of every sign
(either direction) and, on held-out plans, of a logistic model of all of them.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from scipy import stats
from sklearn.linear_model import LogisticRegression

mpl.use("Agg")
import matplotlib.pyplot as plt

from wirbel.phantom.cases import SIGN_NAMES, Difficulty, DrawnCause, draw_plan, sign_row

AGES = {DrawnCause.OSTEOPOROTIC_FRACTURE: 71.5, DrawnCause.MALIGNANT_FRACTURE: 66.5}


def table(n: int, difficulty: Difficulty, cause: DrawnCause, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ages = np.clip(rng.normal(AGES[cause], 12, n), 18, 94)
    return np.array([sign_row(draw_plan(rng, cause, difficulty=difficulty, age_years=float(a))) for a in ages])


def auc(benign: np.ndarray, malignant: np.ndarray) -> float:
    u = stats.mannwhitneyu(malignant, benign).statistic / (len(benign) * len(malignant))
    return float(max(u, 1 - u))


def oracle(benign: np.ndarray, malignant: np.ndarray) -> float:
    x = np.vstack([benign, malignant])
    x = np.hstack([x / x.std(axis=0), x > 0, np.log1p(np.abs(x))])
    y = np.repeat([0, 1], len(benign))
    score = LogisticRegression(max_iter=3000).fit(x[::2], y[::2]).decision_function(x[1::2])
    return auc(score[y[1::2] == 0], score[y[1::2] == 1])


def main(n: int, figure: Path | None) -> None:
    found: dict[Difficulty, list[float]] = {}
    for difficulty in Difficulty:
        pair = [table(n, difficulty, cause, 11 + i) for i, cause in enumerate(AGES)]
        found[difficulty] = [auc(pair[0][:, i], pair[1][:, i]) for i in range(len(SIGN_NAMES))] + [oracle(*pair)]
    names = [*SIGN_NAMES, "all signs, logistic"]
    print(f"simulated, {n} fractures a cause; AUC by difficulty ({', '.join(d.value for d in Difficulty)})")
    for i, name in enumerate(names):
        print(f"{name:24s}" + "".join(f"{found[d][i]:8.3f}" for d in Difficulty))
    if figure is None:
        return
    order = np.argsort(found[Difficulty.MIDDLE])
    fig, ax = plt.subplots(figsize=(6.4, 4.6))
    for difficulty, mark in zip(Difficulty, ["v", "o", "^"], strict=True):
        ax.plot(np.array(found[difficulty])[order], range(len(names)), mark, label=difficulty.value, ms=5)
    ax.axvline(0.8, color="0.6", lw=0.8)
    ax.set_yticks(range(len(names)), [names[i].replace("_", " ") for i in order], fontsize=8)
    ax.set_xlabel("AUC, osteoporotic or malignant fracture (truth only, no picture)", fontsize=9)
    ax.set_title(f"SIMULATED: {n} fractures a cause; research use only", fontsize=9)
    ax.legend(title="difficulty", fontsize=8)
    ax.grid(axis="x", alpha=0.3)
    fig.tight_layout()
    fig.savefig(figure, dpi=90)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000, Path(sys.argv[2]) if len(sys.argv) > 2 else None)

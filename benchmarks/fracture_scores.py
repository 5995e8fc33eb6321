"""Scores of a bundle's networks on the crops of a folder that they were not trained on, as a table for `evaluate`.

    python benchmarks/fracture_scores.py BUNDLE CROPS -o scores.tsv --arm large_test [--arm ...] [--signs FILE]

`wirbel train fracture` scores the folder of its training by itself. This is for another folder of the same people:
other outlines of the same crops, say. Crops that the networks have learnt from must not be scored so. `--signs`:
the crops' table of signs; scores are then joined with them as the bundle says, unfractured crops forced.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from wirbel.network.bundle import load_bundle
from wirbel.network.fracture import open_fracture
from wirbel.network.fracture_scorer import open_scorer
from wirbel.training.fracture.crop_rows import TRAINING_ARMS, open_crops
from wirbel.training.fracture.scores import ScoredCrop, figures, scores_of, write_scores
from wirbel.training.sign_bundle import values_by_row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("crops", type=Path)
    parser.add_argument("--arm", action="append", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--signs", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    bundle, data = load_bundle(given.bundle), open_crops(given.crops)
    networks = open_fracture(bundle, threads=given.threads)
    join = open_scorer(given.bundle, threads=given.threads).join if given.signs else None
    if given.signs and join is None:
        parser.error("the bundle joins no signs")
    values = values_by_row(given.crops, given.signs) if given.signs else {}
    scored: list[ScoredCrop] = []
    for arm in given.arm:
        if arm in TRAINING_ARMS or not data.arm(arm):
            parser.error(f"{arm!r} is no arm to be judged here: {', '.join(data.other_arms)}")
        new = scores_of(data, data.arm(arm), networks)
        if join is not None:
            own = [tuple(m for m in s.members if m is not None) for s in new]
            new = [replace(s, members=join.joined(m, values[s.row])) for s, m in zip(new, own, strict=True)]
        scored += new
        write_scores(given.output, scored, scorer=bundle.sha256)
    for f in figures(data, scored):
        print(f"{f.arm}, {f.what}: AUC {f.auc:.3f} ({f.low:.3f} to {f.high:.3f}), n = {f.crops}")
    print("simulated data; research use only" if data.simulated else "research use only")


if __name__ == "__main__":
    main()

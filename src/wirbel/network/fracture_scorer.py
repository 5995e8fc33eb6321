"""The networks as a scorer of the main job: vertebrae cut out of the CT, scored, with where they looked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from jaxtyping import Int16, UInt8

from wirbel.errors import InputRejected, ModelError
from wirbel.etiology import (
    Calibration,
    Calibrations,
    EtiologyScorer,
    Population,
    RawScore,
    ScorerIdentity,
    must_fit,
    read_calibration,
)
from wirbel.etiology.crop import CropSettings, VertebraCrop, packed, vertebra_crop
from wirbel.etiology.sign_join import JOIN, LEVEL_RANK, SignJoin, read_join
from wirbel.finding import Findings, Verdict
from wirbel.finding.signs import Sign, SignSettings
from wirbel.finding.signs.crop import signs_in_crop
from wirbel.network.bundle import SHIPPED, Bundle, load_bundle
from wirbel.network.fracture import FractureNetworks, ScorerFile, open_fracture, read_scorer_file
from wirbel.network.heat import grad_cam
from wirbel.spine import Part, Spine, Vertebra
from wirbel.vertebra import NotMeasured, Reason, VertebraMeasures, VertebraSettings
from wirbel.volume import Volume
from wirbel.volume.resample import resample_labels

#: Folder of the classifier that ships with the package.
FRACTURE = "fracture"
#: What the heights say of a body that is not all there.
NOT_WHOLE = frozenset({Reason.TOUCHES_EDGE, Reason.NO_BODY})


@dataclass(frozen=True, slots=True, eq=False)
class FractureScorer:
    """Fills `wirbel.etiology.EtiologyScorer`. `networks` are opened when the first vertebra is to be scored.

    `join`: the signs' share in the score of a fracture, where the bundle has one; where it looked, and what it is
    unlike, are the networks' alone.
    """

    bundle: Bundle
    about: ScorerFile
    calibrations: Calibrations
    networks: Callable[[], FractureNetworks]
    join: SignJoin | None = None

    @property
    def identity(self) -> ScorerIdentity:
        """Who scores."""
        names = dict.fromkeys((self.bundle.name, self.about.name))
        return ScorerIdentity(
            " ".join(names),
            self.bundle.sha256,
            len(self.about.members),
            self.about.trained_with_normals,
            self.bundle.version,
            self.about.simulated,
        )

    def __call__(
        self,
        ct: Volume,
        spine: Spine,
        measures: Sequence[VertebraMeasures],
        findings: Findings,
        labels: Sequence[int],
        /,
    ) -> tuple[RawScore, ...]:
        """Scores of the vertebrae that can be cut out and get a finite score; the others are left out."""
        out = []
        wanted = set(labels)
        broken = {finding.label for finding in findings.vertebrae if finding.verdict is Verdict.FRACTURE}
        for vertebra in spine.vertebrae:
            if vertebra.label not in wanted:
                continue
            try:
                crop = crop_of(ct, spine, vertebra, self.about.crop)
            except InputRejected:
                continue
            scores = self.networks().score(stored_hu(crop)[None], crop_bits(crop, spine)[None])
            if np.isfinite(scores.log_odds).all() and np.isfinite(scores.features).all():
                members = tuple(scores.log_odds[0].tolist())
                if self.join is not None and vertebra.label in broken:
                    members = self.join.joined(members, self._sign_values(ct, spine, vertebra, self.join))
                features, heat = scores.features[0].tolist(), grad_cam(self.networks(), scores, 0, crop.grid)
                out.append(RawScore(vertebra.label, members, tuple(features), heat))
        return tuple(out)

    def _sign_values(self, ct: Volume, spine: Spine, vertebra: Vertebra, join: SignJoin) -> dict[str, float]:
        size = (join.crop_voxels, join.crop_voxels, join.crop_voxels)
        crop = crop_of(ct, spine, vertebra, CropSettings(size, self.about.crop.spacing_mm))
        return sign_values(crop, spine, vertebra)


def crop_of(ct: Volume, spine: Spine, vertebra: Vertebra, settings: CropSettings) -> VertebraCrop:
    """A vertebra's crop as the networks were trained on: centred on its body, along the patient's axes."""
    return vertebra_crop(ct, spine.instances, vertebra.label, vertebra.centre_lps_mm, settings)


def stored_hu(crop: VertebraCrop) -> Int16[np.ndarray, "z y x"]:
    """Values as a crop on disk has them: whole HU."""
    return np.clip(np.rint(crop.hu), -1024, 32767).astype(np.int16)


def crop_bits(crop: VertebraCrop, spine: Spine) -> UInt8[np.ndarray, "z y x"]:
    """The mask's bits, the sacrum among the other vertebrae."""
    bits = packed(crop)
    sacrum = (resample_labels(spine.parts, crop.grid).labels == Part.SACRUM) & ~crop.mask
    return np.asarray(bits | sacrum * np.uint8(2), dtype=np.uint8)


def sign_values(crop: VertebraCrop, spine: Spine, vertebra: Vertebra) -> dict[str, float]:
    """What the models of signs read of a crop, by name; what was not measured is not in it."""
    bits = crop_bits(crop, spine)
    own, others = (bits & 1) > 0, (bits & 2) > 0
    settings = (SignSettings(), VertebraSettings())
    values = signs_in_crop(stored_hu(crop), own, others, *settings, spacing_mm=crop.grid.spacing_mm[0]).values
    found = {sign.value: values.of(sign) for sign in Sign}
    measured = {name: float(value) for name, value in found.items() if not isinstance(value, NotMeasured)}
    return measured | ({} if vertebra.level is None else {LEVEL_RANK: float(vertebra.level.rank)})


def open_scorer(folder: Path, *, threads: int | None = None) -> FractureScorer:
    """The classifier of a bundle folder with its calibrations; `ModelError` where anything of it is damaged, or a
    calibration belongs to other networks. A calibration that is not there is none."""
    bundle = load_bundle(folder)
    about = read_scorer_file(bundle)
    calibrations = Calibrations(
        _calibration(bundle, Population.FRACTURED), _calibration(bundle, Population.UNFRACTURED)
    )
    join = read_join(folder / JOIN) if JOIN in bundle.files else None
    scorer = FractureScorer(bundle, about, calibrations, cache(partial(open_fracture, bundle, threads)), join)
    must_fit(scorer)
    return scorer


def shipped_scorer(*, threads: int | None = None) -> FractureScorer | None:
    """The classifier that came with the package; None where none did."""
    folder = SHIPPED / FRACTURE
    return open_scorer(folder, threads=threads) if folder.is_dir() else None


def scores_of_all(
    scorer: EtiologyScorer,
    ct: Volume,
    spine: Spine,
    measures: Sequence[VertebraMeasures],
    findings: Findings,
) -> tuple[RawScore, ...]:
    """Scores of every complete body from T1 to L5 (or without a level), each as if it were a fracture.

    For evaluation only.
    """
    broken = tuple(replace(finding, verdict=Verdict.FRACTURE) for finding in findings.vertebrae)
    labels = [v.label for v in complete(spine, measures)]
    return scorer(ct, spine, measures, replace(findings, vertebrae=broken), labels)


def complete(spine: Spine, measures: Sequence[VertebraMeasures]) -> tuple[Vertebra, ...]:
    """Vertebrae whose body is wholly in view and not cervical or sacral."""
    return tuple(
        vertebra
        for vertebra, own in zip(spine.vertebrae, measures, strict=True)
        if not vertebra.cut_by_border
        and not (isinstance(own.heights, NotMeasured) and own.heights.reason in NOT_WHOLE)
        and (vertebra.level is None or vertebra.level.region in "TL")
    )


def _calibration(bundle: Bundle, population: Population) -> Calibration | None:
    path = bundle.folder / f"calibration_{population.value}.json"
    if not path.is_file():
        return None
    try:
        return read_calibration(path.read_text(encoding="utf-8"))
    except (ModelError, UnicodeDecodeError) as exc:
        raise ModelError(f"{path.name} of bundle {bundle.name!r}: {exc}") from None

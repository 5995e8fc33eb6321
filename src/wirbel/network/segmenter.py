"""The shipped segmenter: find at 3 mm, segment at 1.5 mm, outline at 1 mm, and say what speaks for every name."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int64
from scipy import special

from wirbel.network.bundle import SHIPPED, Bundle, load_bundle
from wirbel.network.columns import Column, ColumnSettings, body_centres
from wirbel.network.finder import Candidates, FinderSettings, find_candidates
from wirbel.network.instances import Instances, InstanceSettings, vertebrae_between_discs
from wirbel.network.line import farthest_inside, prolonged
from wirbel.network.outline import Outline
from wirbel.network.session import Backend, Network, open_network
from wirbel.network.spine_heads import CLASSES, FINDER_LEVELS
from wirbel.network.tubes import Tube, TubeMaps, TubeSettings
from wirbel.spine import Part, SpineEvidence, VertebraEvidence
from wirbel.spine.border import share_at_border
from wirbel.spine.chain import ChainSettings, chain_centres
from wirbel.volume import Grid, LabelMap, Volume, freeze

#: The bundle's third network.
OUTLINE = "outline"
_RANKS = np.array([level.rank for level in FINDER_LEVELS])
_SACRUM = CLASSES.index("sacrum")
_PARTS = np.array([0, Part.BODY, Part.POSTERIOR, Part.DISC, Part.SACRUM, Part.RIB, 0], np.uint8)


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Settings of the shipped segmenter's steps."""

    finder: FinderSettings = field(default_factory=FinderSettings)
    chain: ChainSettings = field(default_factory=ChainSettings)
    tube: TubeSettings = field(default_factory=TubeSettings)
    column: ColumnSettings = field(default_factory=ColumnSettings)
    look_beyond_mm: float = 45.0
    """A line of centres is followed so much further at both ends."""
    new_mm: float = 12.0
    """Where the line of the bodies, so prolonged, leads further than this from the line that was followed, that is
    followed too."""
    passes: int = 6
    """So often at most: the finder misses bodies at the neck, the segmenter sees them."""
    instances: InstanceSettings = field(default_factory=InstanceSettings)
    edge_mm: float = 1.5
    """A body this near to the volume's border is cut by it."""
    cut_share: float = 0.05
    """It is cut where it meets the border with so much of volume^(2/3): more than a stray voxel, less than the
    tenth that masks which users bring may have."""
    sacrum_mm3: float = 5000.0
    """So much sacrum below the last vertebra counts as seen."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkSegmenter:
    """A `wirbel.spine.Segmenter` over two networks, and a third where the bundle has one.

    `outline` draws the classes anew once the bodies are placed: where vertebrae are it leaves to the first two.
    """

    find: Network
    segment: Network
    source: str
    settings: NetworkSettings
    outline: Callable[[TubeMaps, Volume], TubeMaps] | None = None

    def __call__(self, ct: Volume, /) -> SpineEvidence:
        """Evidence at 1 mm in the part of the CT that holds the column; no vertebrae where none is found."""
        found = find_candidates(ct, self.find, self.settings.finder)
        line = _chained(found, found.centres_lps_mm, found.heat, self.settings.chain)
        if not len(line):
            return nothing_found(ct.grid, self.source)
        maps, column = self._followed(ct, found, found.centres_lps_mm[line])
        if not len(column.centres_lps_mm):
            return nothing_found(ct.grid, self.source)
        if self.outline is not None:
            maps = self.outline(maps, ct)
        outlined = self.outline is not None
        made = vertebrae_between_discs(maps, column, self.settings.instances, outlined=outlined)
        return _evidence(ct, found, column, maps, made, self)

    def _followed(self, ct: Volume, found: Candidates, centres_lps_mm: np.ndarray) -> tuple[TubeMaps, Column]:
        """The tube and its bodies; again along these bodies for as long as they lead further."""
        settings, tube = self.settings, Tube(ct, self.segment, self.settings.tube)
        points = prolonged(centres_lps_mm, settings.look_beyond_mm)
        for n in range(settings.passes):
            tube.follow(points)
            maps = tube.maps()
            column = body_centres(ct, found, points, maps, settings.column)
            if n + 1 == settings.passes or not len(column.centres_lps_mm):
                break
            further = prolonged(column.centres_lps_mm, settings.look_beyond_mm)
            if farthest_inside(further, points, ct.grid) <= settings.new_mm:
                break
            points = further
            del maps  # before the next ones are made: of a long CT they are large
        return maps, column


def load_spine_segmenter(
    *,
    bundle: Bundle | None = None,
    backend: Backend = "onnxruntime",
    threads: int | None = None,
    settings: NetworkSettings | None = None,
) -> NetworkSegmenter:
    """The segmenter of a bundle (default: the one that ships); `ModelError` when it is missing or damaged."""
    bundle = bundle or load_bundle(SHIPPED / "spine")
    return NetworkSegmenter(
        find=open_network(bundle.onnx("find"), backend=backend, threads=threads),
        segment=open_network(bundle.onnx("segment"), backend=backend, threads=threads),
        source=f"wirbel {bundle.name} {bundle.version}",
        settings=settings or NetworkSettings(),
        outline=Outline(bundle.onnx(OUTLINE), threads=threads) if bundle.has(OUTLINE) else None,
    )


def _chained(
    found: Candidates, points_lps_mm: np.ndarray, score: np.ndarray, settings: ChainSettings
) -> Int64[np.ndarray, " m"]:
    """Indices of the points that form the column, from the head downward."""
    positions = np.exp(found.level_log_p(points_lps_mm)) @ _RANKS
    chain = chain_centres(points_lps_mm, score, positions=positions, settings=settings)
    return np.array(chain.indices, dtype=np.int64)


def nothing_found(grid: Grid, source: str) -> SpineEvidence:
    """Evidence of no vertebra at all, on a grid of one voxel at the volume's corner."""
    small = grid.cropped((0, 0, 0), (1, 1, 1))
    empty = LabelMap(small, np.zeros((1, 1, 1), np.uint8))
    return SpineEvidence(empty, empty, (), None, None, source)


def _evidence(
    ct: Volume,
    found: Candidates,
    column: Column,
    maps: TubeMaps,
    made: Instances,
    segmenter: NetworkSegmenter,
) -> SpineEvidence:
    settings = segmenter.settings
    centres = maps.grid.to_lps_mm(made.centres_voxel)
    cut = [_cut(maps, made, i + 1, ct.grid, settings) for i in range(len(centres))]
    keep = [
        i for i in range(len(centres)) if cut[i] or made.bodies_mm3[i] >= settings.instances.smallest_body_mm3
    ]
    if not keep:
        return nothing_found(ct.grid, segmenter.source)
    table = np.zeros(256, np.uint8)
    table[np.array(keep) + 1] = np.arange(1, len(keep) + 1)
    labels = table[made.labels]
    parts = _PARTS[made.classes]
    parts[(labels == 0) & ((parts == Part.BODY) | (parts == Part.POSTERIOR))] = 0
    opinions = _opinions(found, maps, centres[keep])
    vertebrae = tuple(
        _vertebra(n, centres[i], cut[i], float(column.score[i]), opinion)
        for n, (i, opinion) in enumerate(zip(keep, opinions, strict=True), start=1)
    )
    return SpineEvidence(
        instances=LabelMap(maps.grid, freeze(labels)),
        parts=LabelMap(maps.grid, freeze(parts)),
        vertebrae=vertebrae,
        sacrum_below=_sacrum_below(maps, centres[keep[-1]], ct.grid, settings),
        skull_above=None,
        source=segmenter.source,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Opinion:
    log_p: Float64[np.ndarray, " k"]
    rib_p: float


def _opinions(found: Candidates, maps: TubeMaps, centres_lps_mm: np.ndarray) -> list[_Opinion]:
    """Finder and segmenter together: mean of log-probabilities, the finder (which sees more) counting double."""
    fine = maps.opinion_at(centres_lps_mm)
    both = 2 * found.level_log_p(centres_lps_mm) + special.log_softmax(fine[:, :-1], 1)
    log_p = special.log_softmax(both / 3, 1)
    rib = special.expit((2 * found.rib_logit(centres_lps_mm) + fine[:, -1]) / 3)
    return [_Opinion(p, float(r)) for p, r in zip(log_p, rib, strict=True)]


def _vertebra(label: int, centre: np.ndarray, cut: bool, heat: float, opinion: _Opinion) -> VertebraEvidence:
    p = np.exp(opinion.log_p)
    mean = float((p * _RANKS).sum())
    return VertebraEvidence(
        label=label,
        centre_lps_mm=centre,
        cut_by_border=cut,
        score=min(1.0, heat),
        position=mean,
        position_sd=float(np.sqrt((p * (_RANKS - mean) ** 2).sum())),
        rib_probability=opinion.rib_p,
        level_log_probability={level: float(v) for level, v in zip(FINDER_LEVELS, opinion.log_p, strict=True)},
    )


def _cut(maps: TubeMaps, made: Instances, label: int, full: Grid, settings: NetworkSettings) -> bool:
    """Whether the body meets the border of the CT with more than a rim of it; a stray voxel cuts nothing."""
    body = np.argwhere((made.labels == label) & (made.classes == CLASSES.index("body")))
    if not len(body):
        return True
    points, layer = maps.grid.to_lps_mm(body.astype(np.float64)), settings.edge_mm
    return share_at_border(points, maps.grid.voxel_mm3, full, (layer, layer, layer)) >= settings.cut_share


def _sacrum_below(maps: TubeMaps, last_lps_mm: np.ndarray, full: Grid, settings: NetworkSettings) -> float | None:
    """How sure the sacrum follows below the last vertebra; None where the view ends less than 45 mm below it."""
    z = int(maps.grid.to_voxel(last_lps_mm[None])[0, 0])
    seen_mm = (full.to_voxel(last_lps_mm[None])[0, 0]) * full.spacing_mm[0]
    sacrum = float(np.count_nonzero(maps.classes[max(0, z - 60) : max(0, z)] == _SACRUM)) * maps.grid.voxel_mm3
    if sacrum >= settings.sacrum_mm3:
        return 0.97
    return None if seen_mm < 45.0 else 0.05

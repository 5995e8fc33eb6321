"""Who is read, when it is first needed, and who may serve as reference for whom."""

from collections.abc import Mapping, Sequence

import numpy as np

from wirbel.finding.signs.marrow import Core
from wirbel.finding.signs.patch import patch_of
from wirbel.finding.signs.settings import SignSettings
from wirbel.finding.signs.sketch import Sketch, sketch_of
from wirbel.spine import Spine
from wirbel.vertebra import Density, Frame, NotMeasured, Reason, VertebraMeasures
from wirbel.vertebra.local import Cutout, cutouts
from wirbel.volume import Volume


class Reader:
    """Sketches made when first needed, and who may serve as reference for whom."""

    def __init__(
        self,
        ct: Volume,
        spine: Spine,
        measures: Sequence[VertebraMeasures],
        settings: SignSettings,
        suspects: frozenset[int],
    ) -> None:
        self.ct, self.spine, self.measures, self.settings = ct, spine, measures, settings
        self.suspects = suspects
        self._cutouts: Mapping[int, Cutout] = cutouts(spine)
        self._sketches: dict[int, Sketch] = {}

    def why_not(self, index: int) -> NotMeasured | None:
        """Why a vertebra cannot be looked at, known before it is."""
        vertebra, frame = self.spine.vertebrae[index], self.measures[index].frame
        if vertebra.level is not None and vertebra.level.region in "CS":
            return NotMeasured(Reason.LEVEL_NOT_GRADED, "thoracic and lumbar vertebrae only")
        if vertebra.label not in self._cutouts:
            return NotMeasured(Reason.NO_BODY)
        if _is_cut(self.measures[index]):
            return NotMeasured(Reason.TOUCHES_EDGE)
        return frame if isinstance(frame, NotMeasured) else None

    def sketch(self, index: int) -> Sketch:
        """The readings of a vertebra whose `why_not` is None."""
        vertebra, frame = self.spine.vertebrae[index], self.measures[index].frame
        if index not in self._sketches and isinstance(frame, Frame):
            cutout = self._cutouts[vertebra.label]
            patch = patch_of(self.ct, self.spine, cutout, frame, self.rank(index))
            self._sketches[index] = sketch_of(self.ct, patch, self.settings)
        return self._sketches[index]

    def rank(self, index: int) -> float:
        """Place along the column."""
        level = self.spine.vertebrae[index].level
        return level.rank if level is not None else float(index)

    def references(self, index: int) -> list[int]:
        """Up to four nearest vertebrae, on both sides where there are any; suspects only where two others lack."""
        near = [
            i
            for i in range(len(self.spine.vertebrae))
            if i != index
            and abs(self.rank(i) - self.rank(index)) <= self.settings.farthest
            and self.why_not(i) is None
            and self.sketch(i).foreign is None
        ]
        near = self._of_usual_density(near)
        sound = [i for i in near if self.spine.vertebrae[i].label not in self.suspects]
        chosen = sound if len(sound) >= 2 else near
        nearest = sorted(chosen, key=lambda i: abs(self.rank(i) - self.rank(index)))
        return sorted(nearest[: self.settings.references])

    def densities_hu(self, index: int) -> list[float]:
        """Trabecular HU of the vertebrae in reach that are not suspect."""
        found = []
        for i, m in enumerate(self.measures):
            near = i != index and abs(self.rank(i) - self.rank(index)) <= self.settings.farthest
            if near and m.label not in self.suspects and isinstance(m.density, Density):
                found.append(m.density.median_hu)
        return found

    def _of_usual_density(self, near: list[int]) -> list[int]:
        """Without those whose marrow differs widely from the others'."""
        cores = {i: core for i in near if isinstance(core := self.sketch(i).core, Core)}
        if len(cores) < 3:
            return near
        usual = float(np.median([core.median_hu for core in cores.values()]))
        limit = max(self.settings.odd_hu, 0.5 * abs(usual))
        return [i for i in near if i in cores and abs(cores[i].median_hu - usual) <= limit]


def _is_cut(measures: VertebraMeasures) -> bool:
    heights = measures.heights
    return isinstance(heights, NotMeasured) and heights.reason is Reason.TOUCHES_EDGE

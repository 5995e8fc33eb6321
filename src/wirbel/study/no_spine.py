"""A CT that shows no whole vertebra is refused: an empty report would read as "no fracture"."""

from collections.abc import Sequence

from wirbel.errors import InputRejected
from wirbel.spine import SpineEvidence
from wirbel.study.result import SeriesRef
from wirbel.vertebra import NotMeasured, Reason, VertebraMeasures

#: Reasons that say that there is no whole body to look at; thick slices are none of them.
NOT_WHOLE = frozenset({Reason.TOUCHES_EDGE, Reason.NO_BODY, Reason.MASK_POOR})

#: Fewer vertebrae do not show where the column runs.
FEWEST = 5


def must_have_vertebrae(evidence: SpineEvidence, ref: SeriesRef) -> None:
    """Refuse (`NO_VERTEBRA`) where nothing was found."""
    if not evidence.vertebrae:
        raise InputRejected(
            f"{ref.source_name}: no vertebra was found in {ref.slices} slices: give a CT that shows the spine",
            code="NO_VERTEBRA",
        )


def must_have_a_whole_one(measures: Sequence[VertebraMeasures], ref: SeriesRef) -> None:
    """Refuse (`NO_WHOLE_VERTEBRA`) where all that was found is cut by the border or no body.

    So too where a side of the image runs through the column: only the first and the last vertebra can be cut by the
    ends of a view that shows it. A body or two may still lie whole beside such a side, their processes do not.
    """
    heights = [m.heights for m in measures]
    if all(isinstance(h, NotMeasured) and h.reason in NOT_WHOLE for h in heights):
        raise InputRejected(
            f"{ref.source_name}: no whole vertebra: {len(heights)} seen, each cut by the border or without a body "
            "that can be measured: give a CT that shows the spine",
            code="NO_WHOLE_VERTEBRA",
        )
    between = [h for h in heights[1:-1] if isinstance(h, NotMeasured) and h.reason is Reason.TOUCHES_EDGE]
    if len(heights) >= FEWEST and len(between) > 0.5 * (len(heights) - 2):
        raise InputRejected(
            f"{ref.source_name}: a side of the image cuts the column: {len(between)} of {len(heights) - 2} "
            "vertebrae between the first and the last leave it: give a CT that shows the spine",
            code="NO_WHOLE_VERTEBRA",
        )

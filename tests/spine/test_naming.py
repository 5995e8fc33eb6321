"""One decoding over the whole column: anchors, variants, missed vertebrae, refusals."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from wirbel.spine import (
    Level,
    NumberingReason,
    NumberingStatus,
    SpineEvidence,
    SpineSettings,
    Variant,
    VertebraEvidence,
    name_levels,
)
from wirbel.spine.column_model import SPACING_MM, levels_of_column, reading_of_column
from wirbel.spine.decode import decode
from wirbel.spine.likelihood import OFFSETS_LEVELS, nuisances
from wirbel.spine.naming import column_seen
from wirbel.volume import Grid, LabelMap

EMPTY = LabelMap(Grid.axis_aligned((2, 2, 2), (1.0, 1.0, 1.0)), np.zeros((2, 2, 2), np.uint8))


def column(
    first: str, last: str, *, kind=(12, 5), sacrum=None, skull=None, ribs=True, offset=None, left_out=(), scale=1.0,
    odd_ribs=None, stretched=0.0,
) -> SpineEvidence:
    """Evidence as a good segmenter would give it of part of a column, read too long by `stretched` levels."""
    levels = levels_of_column(*kind)
    reads = reading_of_column(levels)
    a, b = levels.index(Level[first]), levels.index(Level[last])
    depth = np.concatenate([[0.0], np.cumsum([scale * SPACING_MM[v] for v in levels[:-1]])])
    vertebrae = []
    for i in range(a, b + 1):
        level = levels[i]
        if level.name in left_out:
            continue
        rib = 0.95 if level.region == "T" else 0.05
        vertebrae.append(
            VertebraEvidence(
                label=len(vertebrae) + 1,
                centre_lps_mm=np.array([0.0, 0.0, -depth[i]]),
                cut_by_border=False,
                rib_probability=(odd_ribs or {}).get(level.name, rib) if ribs else None,
                position=None if offset is None else reads[i] + offset + stretched * (i - b) / max(b - a, 1),
                position_sd=0.5,
            )
        )
    return SpineEvidence(EMPTY, EMPTY, tuple(vertebrae), sacrum, skull, "drawn")


def names(evidence: SpineEvidence) -> str:
    spine = name_levels(evidence, SpineSettings())
    return " ".join(v.name for v in spine.vertebrae)


def test_neck_and_first_rib_name_a_chest() -> None:
    spine = name_levels(column("C6", "T10"), SpineSettings())
    assert spine.numbering.status is NumberingStatus.NAMED
    assert spine.vertebrae[2].level is Level.T1
    assert spine.numbering.anchors == ("first rib at T1",)
    assert 0.8 <= spine.numbering.probability < 1


def test_ribs_and_sacrum_name_an_abdomen_and_the_runner_up_is_told() -> None:
    spine = name_levels(column("T9", "L5", sacrum=0.95), SpineSettings())
    assert [v.name for v in spine.vertebrae] == ["T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5"]
    assert spine.numbering.anchors == ("last rib at T12", "sacrum below L5")
    assert len(spine.numbering.runner_up) == 9
    assert spine.numbering.runner_up_probability < spine.numbering.probability


def test_c2_below_the_skull_names_a_neck_without_ribs() -> None:
    assert names(column("C2", "C7", skull=0.95, offset=0.0)) == "C2 C3 C4 C5 C6 C7"


@pytest.mark.parametrize(("first", "last"), [("T3", "T9"), ("T5", "T11"), ("L1", "L4")])
def test_a_field_of_view_without_an_anchor_stays_relative(first, last) -> None:
    spine = name_levels(column(first, last, offset=0.0), SpineSettings())
    assert spine.numbering.status is NumberingStatus.RELATIVE
    assert spine.numbering.reason is NumberingReason.NO_ANCHOR
    assert spine.vertebrae[0].name == "V1"
    assert spine.numbering.probability is None


def test_a_tight_lumbar_crop_with_nothing_but_spacing_stays_relative() -> None:
    spine = name_levels(column("L1", "L5", ribs=False), SpineSettings())
    assert spine.numbering.reason is NumberingReason.NO_ANCHOR


def test_many_vertebrae_read_one_level_too_low_do_not_outvote_the_first_rib() -> None:
    assert names(column("C6", "T12", offset=1.0)).startswith("C6 C7 T1 T2")


def test_appearance_alone_is_never_certain_however_many_vertebrae_agree() -> None:
    common = np.exp(nuisances(SpineSettings()).log_offset)
    assert common[np.abs(OFFSETS_LEVELS) >= 0.75].sum() > 0.15


@pytest.mark.parametrize(
    ("kind", "variant"),
    [((13, 5), Variant.T13), ((12, 6), Variant.L6), ((11, 5), Variant.T11_ONLY), ((12, 4), Variant.L4_ONLY)],
)
def test_variants_of_a_whole_column_are_counted_out(kind, variant) -> None:
    levels = levels_of_column(*kind)
    spine = name_levels(column("C5", levels[-1].name, kind=kind, sacrum=0.97, offset=0.0), SpineSettings())
    assert [v.level for v in spine.vertebrae] == list(levels[4:])
    assert spine.numbering.variants == (variant,)


def test_missing_12th_ribs_are_told_from_11_thoracic_vertebrae_only_with_less_certainty() -> None:
    spine = name_levels(column("C6", "L5", sacrum=0.95, odd_ribs={"T12": 0.05}, offset=0.0), SpineSettings())
    usual = name_levels(column("C6", "L5", sacrum=0.95, offset=0.0), SpineSettings())
    named_t12 = [v.level for v in spine.vertebrae] == [v.level for v in usual.vertebrae]
    assert spine.numbering.status is NumberingStatus.RELATIVE or named_t12
    assert (spine.numbering.probability or 0.0) < usual.numbering.probability


def test_six_vertebrae_without_ribs_above_the_sacrum_are_not_named_in_silence() -> None:
    spine = name_levels(column("T9", "L6", kind=(12, 6), sacrum=0.95), SpineSettings())
    assert spine.numbering.status is NumberingStatus.RELATIVE
    assert spine.numbering.reason in (NumberingReason.AMBIGUOUS, NumberingReason.ANCHORS_DISAGREE)
    assert spine.numbering.runner_up is not None


def test_a_missed_vertebra_leaves_its_name_out() -> None:
    assert names(column("C6", "T8", left_out=("T4",), offset=0.0)) == "C6 C7 T1 T2 T3 T5 T6 T7 T8"


def test_anchors_that_disagree_are_named() -> None:
    evidence = column("C7", "L3", odd_ribs={"T11": 0.02, "T12": 0.02}, sacrum=0.97)
    spine = name_levels(evidence, SpineSettings())
    assert spine.numbering.reason is NumberingReason.ANCHORS_DISAGREE
    assert any("rib at" in text or "sacrum right below" in text for text in spine.numbering.anchors)


def test_a_single_name_given_anchors_the_rest() -> None:
    evidence = column("L1", "L5", ribs=False)
    vertebrae = list(evidence.vertebrae)
    vertebrae[2] = replace(vertebrae[2], given=Level.L3)
    spine = name_levels(replace(evidence, vertebrae=tuple(vertebrae)), SpineSettings())
    assert [v.name for v in spine.vertebrae] == ["L1", "L2", "L3", "L4", "L5"]
    assert spine.numbering.anchors == ("given: L3",)


def test_a_usual_column_is_read_at_its_ranks_and_the_lowest_rib_of_any_chest_as_the_twelfth() -> None:
    usual = levels_of_column(12, 5)
    assert np.allclose(reading_of_column(usual), [level.rank for level in usual])
    for thoracic in (11, 12, 13):
        levels = levels_of_column(thoracic, 5)
        last = max(i for i, level in enumerate(levels) if level.region == "T")
        assert reading_of_column(levels)[[7, last, -1]].tolist() == [8.0, 19.0, 24.0]


@pytest.mark.parametrize("stretched", [-1.2, -0.6, 0.6, 1.2])
def test_a_column_read_as_too_long_or_too_short_is_no_variant(stretched) -> None:
    spine = name_levels(column("T3", "L5", sacrum=0.95, offset=0.0, stretched=stretched), SpineSettings())
    assert spine.numbering.status is NumberingStatus.RELATIVE or spine.vertebrae[0].level is Level.T3


@pytest.mark.parametrize("thoracic", [11, 13])
def test_eleven_or_thirteen_ribs_above_a_sacrum_are_not_named_as_twelve_in_silence(thoracic) -> None:
    spine = name_levels(column("T2", "L5", kind=(thoracic, 5), sacrum=0.95, offset=0.0), SpineSettings())
    assert spine.numbering.status is NumberingStatus.RELATIVE or spine.vertebrae[0].level is Level.T2


def test_probabilities_of_all_labellings_sum_to_one() -> None:
    seen = column_seen(column("L2", "L4", sacrum=0.4, offset=0.3))
    every = SpineSettings(columns={(12, 5): 0.9, (12, 6): 0.1})
    found = decode(seen, every).labellings
    assert 0.97 < sum(labelling.probability for labelling in found) <= 1 + 1e-9


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_vertebrae_are_not_counted(n) -> None:
    evidence = column("L4", "L5", sacrum=0.95)
    spine = name_levels(replace(evidence, vertebrae=evidence.vertebrae[:n]), SpineSettings())
    assert spine.numbering.reason is NumberingReason.TOO_FEW
    assert len(spine.vertebrae) == n


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(scale=st.floats(0.82, 1.2), offset=st.floats(-0.8, 0.8))
def test_names_do_not_depend_on_the_patients_size_or_a_common_error(scale, offset) -> None:
    spine = name_levels(column("C7", "T9", scale=scale, offset=offset), SpineSettings())
    named = [v.name for v in spine.vertebrae]
    assert " ".join(named) == "C7 T1 T2 T3 T4 T5 T6 T7 T8 T9" or named[0] == "V1"


def test_probabilities_of_single_vertebrae_are_at_least_that_of_the_whole() -> None:
    spine = name_levels(column("C6", "T10", offset=0.2), SpineSettings())
    for vertebra in spine.vertebrae:
        assert spine.numbering.probability - 1e-9 <= vertebra.probability <= 1 + 1e-9


@pytest.mark.data
def test_annotated_columns_with_their_ribs_are_named_right_or_not_at_all(data_dir) -> None:
    named = 0
    for path in sorted((data_dir / "annotations").glob("*.json")):
        bodies = json.loads(path.read_text())["bodies"]
        levels = [Level[body["level"]] for body in bodies]
        vertebrae = tuple(
            VertebraEvidence(
                label=i,
                centre_lps_mm=np.array([body["x"], body["y"], body["z"]], dtype=np.float64),
                cut_by_border=not body["complete"],
                rib_probability=0.92 if level.region == "T" else 0.08,
                position=level.rank + 0.5,
                position_sd=0.7,
            )
            for i, (body, level) in enumerate(zip(bodies, levels, strict=True), start=1)
        )
        sacrum = 0.9 if levels[-1] is Level.L5 else None
        spine = name_levels(SpineEvidence(EMPTY, EMPTY, vertebrae, sacrum, None, "drawn"), SpineSettings())
        found = [v.level for v in spine.vertebrae]
        assert found in (levels, [None] * len(levels)), path.stem
        named += found == levels
    assert named >= 7

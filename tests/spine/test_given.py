"""Masks that a user brings: numbering, names, fragments, borders."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.errors import InputRejected
from wirbel.spine import Level, NumberingReason, NumberingStatus, Part, SpineSettings, Variant, name_levels
from wirbel.spine.given import evidence_from_masks
from wirbel.spine.numbering_scheme import numbering_of
from wirbel.volume import Grid, LabelMap


def read(path: Path) -> LabelMap:
    image = nib.load(path)
    labels = np.asarray(image.dataobj).astype(np.uint8)
    return LabelMap(Grid(labels.shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine), labels)


def bodies_of(numbers, *, step=30, spacing_mm=(1.0, 1.0, 1.0)) -> LabelMap:
    """Cylinders from above, one a number (0 leaves a gap), `step` slices apart."""
    n = len(numbers)
    z, y, x = np.mgrid[: step * n + 10, :60, :60]
    labels = np.zeros(z.shape, np.uint8)
    disc = (y - 30.0) ** 2 / 15**2 + (x - 30.0) ** 2 / 20**2 < 1
    for i, number in enumerate(numbers):
        middle = step * (n - 1 - i) + 20
        labels[disc & (abs(z - middle) <= 0.37 * step)] = number
    return LabelMap(Grid.axis_aligned(labels.shape, spacing_mm), labels)


def named(masks: LabelMap, numbering=None):
    return name_levels(evidence_from_masks(masks, numbering=numbering, ct_grid=masks.grid), SpineSettings())


def test_verse_numbers_that_grow_downward_are_verse() -> None:
    assert numbering_of(bodies_of([19, 20, 21, 22]), None) == "verse"


def test_totalsegmentator_numbers_that_grow_upward_are_totalsegmentator() -> None:
    spine = named(bodies_of([32, 31, 30, 29, 28, 27]))
    assert [v.level for v in spine.vertebrae] == [Level.T12, Level.L1, Level.L2, Level.L3, Level.L4, Level.L5]


def test_t13_above_the_sacrum_is_verse_and_l4_above_l5_is_totalsegmentator() -> None:
    assert numbering_of(bodies_of([28, 20, 21, 26]), None) == "verse"
    assert numbering_of(bodies_of([28, 27, 26]), None) == "totalsegmentator"


def test_a_single_28_is_refused_until_somebody_says_what_it_means() -> None:
    masks = bodies_of([28])
    with pytest.raises(InputRejected, match="--numbering") as refusal:
        numbering_of(masks, None)
    assert refusal.value.code == "NUMBERING_UNCLEAR"
    assert named(masks, "verse").vertebrae[0].level is Level.T13
    assert named(masks, "totalsegmentator").vertebrae[0].level is Level.L4


@pytest.mark.parametrize(("numbers", "wrong"), [([32, 31, 30], "verse"), ([19, 20, 21], "totalsegmentator")])
def test_a_numbering_that_the_direction_contradicts_is_refused(numbers, wrong) -> None:
    with pytest.raises(InputRejected, match="use --numbering") as refusal:
        numbering_of(bodies_of(numbers), wrong)
    assert refusal.value.code == "NUMBERING_CONTRADICTED"


def test_numbers_upside_down_fit_no_numbering() -> None:
    with pytest.raises(InputRejected, match="neither"):
        numbering_of(bodies_of([23, 22, 21, 20]), None)


def test_masks_of_another_place_are_refused() -> None:
    masks = bodies_of([20, 21, 22])
    elsewhere = Grid.axis_aligned((50, 50, 50), (1.0, 1.0, 1.0), (500.0, 0.0, 0.0))
    with pytest.raises(InputRejected, match="field of view"):
        evidence_from_masks(masks, numbering=None, ct_grid=elsewhere)


def test_empty_masks_are_refused() -> None:
    empty = LabelMap(Grid.axis_aligned((5, 5, 5), (1.0, 1.0, 1.0)), np.zeros((5, 5, 5), np.uint8))
    with pytest.raises(InputRejected, match="no label"):
        evidence_from_masks(empty, numbering="verse", ct_grid=empty.grid)


def test_given_names_are_kept_and_marked_as_given() -> None:
    spine = named(bodies_of([18, 19, 20, 21]))
    assert spine.numbering.status is NumberingStatus.GIVEN
    assert [v.name for v in spine.vertebrae] == ["T11", "T12", "L1", "L2"]
    assert spine.numbering.probability is None


def test_a_vertebra_missing_from_the_masks_leaves_a_gap_and_the_names_stay() -> None:
    spine = named(bodies_of([18, 19, 0, 21, 22]))
    assert [v.name for v in spine.vertebrae] == ["T11", "T12", "L2", "L3"]


def test_names_that_skip_a_level_without_room_for_it_contradict_themselves() -> None:
    spine = named(bodies_of([12, 13, 14, 16, 17, 18], step=24))
    assert spine.numbering.status is NumberingStatus.RELATIVE
    assert spine.numbering.reason is NumberingReason.ANCHORS_DISAGREE
    assert "T8" in spine.numbering.anchors[0]
    assert [v.name for v in spine.vertebrae] == ["V1", "V2", "V3", "V4", "V5", "V6"]


def test_t11_followed_by_l1_is_a_variant_not_a_contradiction() -> None:
    assert named(bodies_of([16, 17, 18, 20, 21, 22])).numbering.variants == (Variant.T11_ONLY,)


def test_two_vertebrae_under_one_number_contradict_themselves() -> None:
    spine = named(bodies_of([19, 20, 20, 21, 22]))
    assert len(spine.vertebrae) == 5
    assert spine.numbering.reason is NumberingReason.ANCHORS_DISAGREE


def test_two_exchanged_names_make_the_column_relative() -> None:
    spine = named(bodies_of([17, 18, 20, 19, 21, 22]), "verse")
    assert spine.numbering.reason is NumberingReason.ANCHORS_DISAGREE


def test_specks_go_and_a_fragment_stays() -> None:
    masks = bodies_of([20, 21, 22])
    labels = masks.labels.copy()
    labels[20:23, 3:5, 3:5] = 22
    labels[20:28, 50:56, 25:35] = 22
    evidence = evidence_from_masks(LabelMap(masks.grid, labels), numbering="verse", ct_grid=masks.grid)
    l3 = evidence.instances.labels == 3
    before = (masks.labels == 22).sum()
    assert l3.sum() == before + 8 * 6 * 10


def test_a_body_at_the_border_is_cut_and_a_rim_at_the_border_is_not() -> None:
    masks = bodies_of([20, 21, 22])
    cut = LabelMap(masks.grid.cropped((20, 0, 0), masks.grid.shape), masks.labels[20:])
    assert [v.cut_by_border for v in evidence_from_masks(cut, numbering=None, ct_grid=cut.grid).vertebrae] == [
        False, False, True,
    ]
    spur = masks.labels.copy()
    spur[78:82, 28:32, 8:12] = 20
    tight = LabelMap(masks.grid.cropped((0, 0, 8), masks.grid.shape), spur[:, :, 8:])
    assert not any(
        v.cut_by_border for v in evidence_from_masks(tight, numbering=None, ct_grid=tight.grid).vertebrae
    )


def test_a_border_of_the_ct_cuts_too() -> None:
    masks = bodies_of([20, 21, 22])
    smaller = masks.grid.cropped((0, 0, 0), (80, 60, 60))
    first = evidence_from_masks(masks, numbering=None, ct_grid=smaller).vertebrae[0]
    assert first.cut_by_border


@pytest.mark.parametrize("spacing_mm", [(3.0, 3.0, 3.0), (5.0, 0.8, 0.8), (1.0, 0.4, 0.4)])
def test_centres_do_not_depend_on_the_voxels(spacing_mm) -> None:
    fine = bodies_of([20, 21, 22], step=35)
    grid = fine.grid.respaced(spacing_mm)
    index = np.indices(grid.shape).reshape(3, -1).T.astype(float)
    nearest = np.clip(np.round(fine.grid.to_voxel(grid.to_lps_mm(index))), 0, np.array(fine.grid.shape) - 1)
    coarse = LabelMap(grid, fine.labels[tuple(nearest.astype(int).T)].reshape(grid.shape))
    for seen, truth in zip(
        evidence_from_masks(coarse, numbering=None, ct_grid=grid).vertebrae,
        evidence_from_masks(fine, numbering=None, ct_grid=fine.grid).vertebrae,
        strict=True,
    ):
        assert np.linalg.norm(seen.centre_lps_mm - truth.centre_lps_mm) < 0.5 * max(spacing_mm)


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "numbering", "first", "last", "sacrum"),
    [
        ("ct/totalseg-example-ct/bodies.nii.gz", "verse", "T12", "L5", None),
        ("ct/totalseg-example-ct/vertebrae.nii.gz", "totalsegmentator", "T12", "L5", 1.0),
        ("ct/verse005/vertebrae.nii.gz", "verse", "L1", "L5", None),
        ("ct/verse006/vertebrae.nii.gz", "verse", "L4", "L5", None),
        ("ct/tptbox-l3/sub-ct_seg-vert_label-22_msk.nii.gz", "verse", "L2", "L4", None),
        ("masks/verse004/sub-verse004_seg-vert_msk.nii.gz", "verse", "T9", "L5", None),
    ],
)
def test_masks_of_the_hand_out_keep_their_names(data_dir, file, numbering, first, last, sacrum) -> None:
    masks = read(data_dir / file)
    evidence = evidence_from_masks(masks, numbering=None, ct_grid=masks.grid)
    spine = name_levels(evidence, SpineSettings())
    assert evidence.source == f"masks ({numbering} numbering)"
    assert spine.numbering.status is NumberingStatus.GIVEN
    assert (spine.vertebrae[0].name, spine.vertebrae[-1].name) == (first, last)
    assert evidence.sacrum_below == sacrum
    assert set(np.unique(evidence.parts.labels[evidence.instances.labels > 0])) <= {Part.BODY, Part.POSTERIOR}


@pytest.mark.data
def test_a_missing_t12_and_a_t13_of_real_columns_are_named_variants(data_dir) -> None:
    for subject, variant in (("verse581", Variant.T11_ONLY), ("verse631", Variant.T13)):
        masks = read(data_dir / f"masks/full-spines/{subject}_seg-vert_from-mesh.nii.gz")
        assert named(masks).numbering.variants == (variant,)


@pytest.mark.data
def test_the_fragment_of_a_real_crushed_l1_belongs_to_l1(data_dir) -> None:
    masks = read(data_dir / "masks/verse004/sub-verse004_seg-vert_msk.nii.gz")
    evidence = evidence_from_masks(masks, numbering=None, ct_grid=masks.grid)
    l1 = next(v for v in evidence.vertebrae if v.given is Level.L1)
    volume_mm3 = (evidence.instances.labels == l1.label).sum() * evidence.instances.grid.voxel_mm3
    assert volume_mm3 == pytest.approx((masks.labels == 20).sum() * masks.grid.voxel_mm3, rel=0.02)


@pytest.mark.data
def test_the_whole_bodies_of_a_tight_crop_are_not_cut(data_dir) -> None:
    masks = read(data_dir / "ct/verse005/vertebrae.nii.gz")
    evidence = evidence_from_masks(masks, numbering=None, ct_grid=masks.grid)
    assert not any(v.cut_by_border for v in evidence.vertebrae)

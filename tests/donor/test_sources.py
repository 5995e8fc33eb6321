"""The hand-out's donors."""

import pytest

from wirbel.donor.sources import DONORS, read_donor
from wirbel.spine import Level


def test_every_donor_names_a_licence_that_lets_results_be_shown():
    assert all(d.licence and "NC" not in d.licence and "ND" not in d.licence for d in DONORS)


def test_each_donor_has_masks_or_an_annotation_that_names_predicted_ones():
    assert all((d.masks is None) != (d.annotation is None) for d in DONORS)


@pytest.mark.data
def test_verse008_lends_whole_bodies_and_not_the_one_that_looks_fractured(data_dir):
    donor = next(d for d in DONORS if d.name == "verse008")
    source = read_donor(donor, data_dir, None)
    assert source is not None
    assert Level.L2 not in source.centres_lps_mm
    assert Level.L3 in source.centres_lps_mm
    assert not source.predicted


@pytest.mark.data
def test_a_donor_without_masks_is_left_out(data_dir):
    donor = next(d for d in DONORS if d.name == "crlm-ct-1004")
    assert read_donor(donor, data_dir, None) is None

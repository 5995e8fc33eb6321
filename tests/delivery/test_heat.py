"""Heat maps on disk: in the CT's own space, where they were computed, and nowhere else."""

import json
from dataclasses import replace

import nibabel as nib
import numpy as np

from wirbel.delivery import deliver_folder
from wirbel.delivery.heat import HEAT, HEAT_LEGEND, write_heat
from wirbel.etiology import Cause, Etiology, HeatMap, HeatMethod, Tier
from wirbel.volume import Grid


def spot(centre_lps_mm: np.ndarray, at: tuple[int, int, int], peak: float = 1.0) -> HeatMap:
    """One warm voxel in a cube of 8 mm."""
    low = centre_lps_mm - 3.5
    grid = Grid.axis_aligned((8, 8, 8), (1.0, 1.0, 1.0), (float(low[0]), float(low[1]), float(low[2])))
    values = np.zeros(grid.shape, np.float32)
    values[at] = peak
    return HeatMap(grid, values, HeatMethod.GRAD_CAM, ("b2_0", "b2_1"))


def with_heat(result, maps):
    causes = tuple(
        Cause(v.label, Tier.MALIGNANT, heat=heat) for v, heat in zip(result.spine.vertebrae, maps, strict=True)
    )
    provenance = replace(result.provenance, classifier="fracture b2 0.1", classifier_simulated=True)
    return replace(result, etiology=Etiology(causes), provenance=provenance)


def test_the_warmest_places_lie_where_they_were_found(result, tmp_path):
    centres = [v.centre_lps_mm for v in result.spine.vertebrae]
    maps = [spot(centres[0], (2, 3, 4)), None, spot(centres[2], (6, 1, 0))]
    write_heat(tmp_path, with_heat(result, maps))
    image = nib.load(tmp_path / HEAT)
    values = np.asarray(image.dataobj)
    assert values.min() == 0.0
    assert 0.9 < values.max() <= 1.0001
    for heat in (maps[0], maps[2]):
        place = heat.grid.to_lps_mm(np.argwhere(heat.values > 0).astype(float))[0] * [-1, -1, 1]
        at = np.linalg.inv(image.affine) @ np.append(place, 1.0)
        np.testing.assert_allclose(at[:3], np.rint(at[:3]), atol=0.51)
        around = tuple(slice(max(int(np.floor(a)), 0), int(np.ceil(a)) + 1) for a in at[:3])
        assert values[around].max() > 0.2
    assert (values > 0.02).sum() <= 16


def test_the_file_is_no_larger_than_the_vertebrae_it_shows(result, tmp_path):
    centre = result.spine.vertebrae[0].centre_lps_mm
    write_heat(tmp_path, with_heat(result, [spot(centre, (2, 3, 4)), None, None]))
    assert max(nib.load(tmp_path / HEAT).shape) <= 10


def test_the_legend_says_who_made_it_and_that_it_is_simulated(result, tmp_path):
    centre = result.spine.vertebrae[0].centre_lps_mm
    write_heat(tmp_path, with_heat(result, [spot(centre, (2, 3, 4)), None, None]))
    said = json.loads((tmp_path / HEAT_LEGEND).read_text())
    assert said["notice"] == "research use only"
    assert said["simulated"] is True
    assert said[HEAT]["vertebrae"] == {"L3": {"method": "grad_cam", "made_by": ["b2_0", "b2_1"]}}


def test_overlapping_maps_keep_the_higher_value(result, tmp_path):
    centre = result.spine.vertebrae[0].centre_lps_mm
    maps = [spot(centre, (4, 4, 4), 0.4), spot(centre, (4, 4, 4), 0.8), None]
    write_heat(tmp_path, with_heat(result, maps))
    alone = tmp_path / "alone"
    alone.mkdir()
    write_heat(alone, with_heat(result, [None, maps[1], None]))
    np.testing.assert_array_equal(
        np.asarray(nib.load(tmp_path / HEAT).dataobj), np.asarray(nib.load(alone / HEAT).dataobj)
    )


def test_without_maps_nothing_is_written_and_an_old_map_goes_with_its_result(result, ct, pages, tmp_path):
    centre = result.spine.vertebrae[0].centre_lps_mm
    out = tmp_path / "out"
    deliver_folder(with_heat(result, [spot(centre, (2, 3, 4)), None, None]), ct, pages, out)
    assert (out / HEAT).is_file()
    deliver_folder(result, ct, pages, out)
    assert not (out / HEAT).exists()
    assert not (out / HEAT_LEGEND).exists()

"""Signs of every crop of a folder: from the crop alone, resumable, and what cannot be read is told."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from wirbel.cohort.crops import HU_FILE, INDEX_FILE, MASK_FILE
from wirbel.cohort.signs import COLUMNS, index_of, read_signs, write_signs
from wirbel.errors import InputRejected
from wirbel.finding.signs import Sign

SPEC = importlib.util.spec_from_file_location(
    "drawn_vertebrae", Path(__file__).parents[1] / "finding" / "drawn_vertebrae.py"
)
drawn = importlib.util.module_from_spec(SPEC)
sys.modules.setdefault("drawn_vertebrae", drawn)
SPEC.loader.exec_module(drawn)
SIDE = 80


def crop_of(index: object | None = None, pitch_mm: float = 26.0) -> tuple[np.ndarray, np.ndarray]:
    """A crop around the middle one of three vertebrae, as a crop folder holds it."""
    column = drawn.column(index, scan=drawn.Scan(noise_hu=15.0, pitch_mm=pitch_mm, side_mm=41.0))
    at = np.rint(column.spine.grid.to_voxel(column.spine.vertebrae[1].centre_lps_mm[None])).astype(int)[0]
    hu = np.full((SIDE, SIDE, SIDE), -100, dtype=np.int16)
    mask = np.zeros((SIDE, SIDE, SIDE), dtype=np.uint8)
    low = at - SIDE // 2
    shape = np.asarray(column.ct.hu.shape)
    a, b = np.maximum(low, 0), np.minimum(low + SIDE, shape)
    there = tuple(slice(int(s - o), int(e - o)) for s, e, o in zip(a, b, low, strict=True))
    here = tuple(slice(int(s), int(e)) for s, e in zip(a, b, strict=True))
    hu[there] = np.rint(column.ct.hu[here]).astype(np.int16)
    labels = column.spine.instances.labels[here]
    mask[there] = (labels == 2) * 1 + ((labels != 0) & (labels != 2)) * 2
    return hu, mask


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crops of a sound vertebra, one with a hole in its front wall, one whose mask is empty."""
    place = tmp_path_factory.mktemp("crops")
    hole = drawn.Drawn(paints=(drawn.lytic(drawn.ball(0.0, -14.0, 0.0, 9.0)),))
    pairs = [crop_of(), crop_of(hole), crop_of()]
    pairs[2][1][...] = 0
    np.save(place / HU_FILE, np.stack([hu for hu, _ in pairs]))
    np.save(place / MASK_FILE, np.stack([mask for _, mask in pairs]))
    head = "patient\tvertebra\tclass\n"
    (place / INDEX_FILE).write_text(head + "".join(f"p{k}\tL1\tnormal\n" for k in range(3)), encoding="utf-8")
    return place


def test_a_table_of_signs_is_made_from_crops_alone_and_a_bad_crop_is_told(folder: Path, tmp_path: Path) -> None:
    made = write_signs(folder, tmp_path / "signs.tsv")
    assert (made.crops, made.new, made.bad) == (3, 3, ("crop 2: no vertebra in its mask",))
    signs = read_signs(tmp_path / "signs.tsv")
    assert signs[2] == {}
    sound, holed = signs[0], signs[1]
    assert sound[Sign.CORTEX] == 0.0
    assert sound[Sign.LYTIC] < 0.02
    assert sound[Sign.EPIDURAL] == 0.0
    # the ball's cap in the wall has about 210 mm2 of some 1,700, and it fills a tenth of the core
    assert 0.05 < holed[Sign.CORTEX] < 0.25
    assert 0.04 < holed[Sign.LYTIC] < 0.25
    assert abs(holed[Sign.DENSITY_DIFFERENCE]) < 25.0
    # the neighbours in the crop are references, though its border cuts them
    assert {Sign.RETROPULSION, Sign.CANAL, Sign.PEDICLE_LEFT} <= set(sound)


def test_a_table_made_before_endplates_were_measured_is_read_and_goes_on_with_an_empty_column(
    folder: Path, tmp_path: Path
) -> None:
    out, head = tmp_path / "signs.tsv", [name for name in COLUMNS if name != Sign.ENDPLATES.value]
    cells = [[str(row), "0.25", *("" for _ in head[2:])] for row in (0, 1)]
    out.write_text("".join("\t".join(line) + "\n" for line in (head, *cells)), encoding="utf-8")
    assert read_signs(out) == {0: {Sign.CORTEX: 0.25}, 1: {Sign.CORTEX: 0.25}}
    made = write_signs(folder, out)
    assert (made.crops, made.new) == (3, 1)
    assert out.read_text("utf-8").splitlines()[0] == "\t".join(COLUMNS)
    assert read_signs(out)[1] == {Sign.CORTEX: 0.25}


def test_a_stopped_run_goes_on_with_the_crops_that_are_missing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "signs.tsv"
    blank = "\t".join(["0", "0.5", *("" for _ in COLUMNS[2:])])
    out.write_text("\t".join(COLUMNS) + f"\n2{(len(COLUMNS) - 1) * chr(9)}\n{blank}\n1\t0.2\t0.", encoding="utf-8")
    seen: list[int] = []
    made = write_signs(folder, out, seen=lambda found: seen.append(found.row))
    assert (seen, made.new, made.crops) == ([1], 1, 3)
    lines = [line.split("\t") for line in out.read_text("utf-8").splitlines()]
    assert [cells[0] for cells in lines] == ["row", "0", "1", "2"]
    assert lines[1][1] == "0.5"


def test_only_the_rows_noted_are_measured_while_a_folder_is_still_being_made(tmp_path: Path) -> None:
    index = {"patient": "a", "vertebra": "L1", "class": "normal", "split": "train"}
    whole = json.dumps({"patient": "a", "rows": [[index, {"row": "4"}], [index, {"row": "5"}]]})
    (tmp_path / "progress.jsonl").write_text(whole + "\n" + '{"patient": "b", "rows"', encoding="utf-8")
    with pytest.raises(InputRejected, match="damaged"):
        index_of(tmp_path)
    said = {"crops": 9, "settings": {"voxels": 8, "spacing_mm": 1.0}}
    (tmp_path / "cohort.json").write_text(json.dumps(said), encoding="utf-8")
    assert index_of(tmp_path) == {4: index, 5: index}


def test_what_is_no_folder_of_crops_or_no_table_of_signs_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="holds no crops"):
        write_signs(tmp_path, tmp_path / "signs.tsv")
    (tmp_path / "other.tsv").write_text("row\tsomething\n", encoding="utf-8")
    with pytest.raises(InputRejected, match="other columns"):
        write_signs(folder, tmp_path / "other.tsv")

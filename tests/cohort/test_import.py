"""Import from a PACS export: no word about the patient, resumable, a bad study never stops the rest."""

import gzip
import stat
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from wirbel.cli.cohort_import import ShippedSegmenter
from wirbel.cohort.check import CheckSettings, check_cohort, open_cohort
from wirbel.cohort.identity import identity_of
from wirbel.cohort.import_studies import Imported, import_studies
from wirbel.cohort.import_tables import complete_tables
from wirbel.cohort.key_book import KeyBook, read_key_book, write_key_book
from wirbel.cohort.layout import find_images
from wirbel.cohort.sizes import SizeLimits
from wirbel.dicom.write_ct import CtAttributes, write_ct_series
from wirbel.errors import InputRejected, UsageError
from wirbel.spine import Segmenter, SpineEvidence, evidence_from_masks
from wirbel.volume import LabelMap, Volume
from wirbel.workers.processes import Processes

from .conftest import drawn_ct, save_nifti

ERIKA = CtAttributes(
    seed=71, patient_id="KH-4711/22", patient_name="Mustermann^Erika", patient_sex="F", patient_age="093Y",
    accession="ACC998877", study_date="20190417", study_description="Verlauf Wirbelkoerper Erika",
    series_description="Mustermann axial", manufacturer="Maker", model="Scan 64",
)  # fmt: skip
HANS = replace(ERIKA, seed=72, patient_id="KH-0815", patient_name="Meier^Hans", patient_sex="M", patient_age="064Y")
SECRETS = (
    "4711", "Muster", "Erika", "erika", "ACC998877", "20190417", "Verlauf", "0815", "Meier", "Hans", "export",
    ERIKA.study_uid, ERIKA.series_uid, ERIKA.frame_of_reference_uid, HANS.study_uid, "2.25.",
)  # fmt: skip


class FromMasks:
    """Answers with the drawn masks; counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, threads: int | None, /) -> Segmenter:
        return self.segment

    def segment(self, ct: Volume, /) -> SpineEvidence:
        self.calls += 1
        return evidence_from_masks(LabelMap(ct.grid, drawn_ct(0)[1]), numbering="verse", ct_grid=ct.grid)


def export(tmp_path: Path, *people: CtAttributes) -> Path:
    """A PACS export: one folder with a patient's name for each."""
    home = tmp_path / "export"
    for person in people:
        folder = home / person.patient_name.replace("^", " ") / f"study{person.seed}"
        write_ct_series(drawn_ct(person.seed)[0], folder, attributes=person)
    return home


def imported(source: Path, tmp_path: Path, make: FromMasks | None = None) -> tuple[Imported, ...]:
    return import_studies(source, tmp_path / "cohort", tmp_path / "cohort.key.tsv", make or FromMasks())


def everything(folder: Path) -> str:
    """Every name and every byte below a folder, unpacked."""
    texts = []
    for path in sorted(folder.rglob("*")):
        texts.append(path.relative_to(folder).as_posix())
        if path.is_file():
            data = path.read_bytes()
            if path.name.endswith(".gz"):
                assert data[2:8] == b"\x08\x00\x00\x00\x00\x00", "no name and no time in the packed file"
                data = gzip.decompress(data)[:352]
            texts.append(data.decode("latin-1"))
    return "\n".join(texts)


def test_no_word_about_the_patient_is_in_the_cohort_and_the_key_is_the_owners(tmp_path: Path) -> None:
    done = imported(export(tmp_path, ERIKA, HANS), tmp_path)
    complete_tables(tmp_path / "cohort", tmp_path / "cohort.key.tsv", None)
    assert all(d.is_done for d in done)
    text = everything(tmp_path / "cohort")
    assert [secret for secret in SECRETS if secret in text] == []
    assert "Maker Scan 64" in text
    key = tmp_path / "cohort.key.tsv"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    told = key.read_text()
    assert "KH-4711/22" in told
    assert ERIKA.study_uid in told
    book = read_key_book(key)
    assert not any(secret in repr(book) + repr(book.entries) for secret in SECRETS[:6])


def test_an_old_age_is_written_as_90(tmp_path: Path) -> None:
    source = export(tmp_path, ERIKA)
    identity = identity_of(source, source)
    assert (identity.age_years, identity.patient, identity.accession) == (90, "KH-4711/22", "ACC998877")
    assert repr(identity) == "Identity(hidden)"


def test_images_are_1_mm_and_masks_lie_on_them(tmp_path: Path) -> None:
    imported(export(tmp_path, ERIKA, HANS), tmp_path)
    home = tmp_path / "cohort"
    complete_tables(home, tmp_path / "cohort.key.tsv", None)
    cohort = open_cohort(home)
    report = check_cohort(cohort, CheckSettings(limits=SizeLimits(0, 0)))
    assert {p.code.value for p in report.errors} == {"one_class"}  # all unclear
    assert [e.reason.value for e in report.excluded] == ["unclear"] * 8
    for image in cohort.images:
        ct, mask = nib.load(image.image), nib.load(image.mask)
        assert np.allclose(ct.header.get_zooms(), 1.0)
        assert np.allclose(ct.affine, mask.affine)
        assert set(np.unique(np.asarray(mask.dataobj))) == {0, 18, 19, 20, 21}
    boxes = (home / "boxes.tsv").read_text().splitlines()
    assert len(boxes) == 9
    assert "T11 T12 L1 L2" in (home / "quality.tsv").read_text()


def test_finished_studies_are_skipped_and_a_later_study_of_a_patient_is_session_2(tmp_path: Path) -> None:
    make = FromMasks()
    imported(export(tmp_path, ERIKA), tmp_path, make)
    source = export(tmp_path, HANS, replace(ERIKA, seed=99))
    done = imported(source, tmp_path, make)
    assert make.calls == 3
    assert [d.was_there for d in done].count(True) == 1
    images = {i.stem: i.patient for i in find_images(tmp_path / "cohort")}
    assert len(images) == 3
    assert len(set(images.values())) == 2
    assert sum(stem.endswith("_ses-02") for stem in images) == 1


def test_a_bad_study_is_told_by_code_and_the_rest_goes_on(tmp_path: Path) -> None:
    source = export(tmp_path, ERIKA, HANS)
    for path in sorted((source / "Meier Hans" / "study72").iterdir())[10:20]:
        path.unlink()
    done = imported(source, tmp_path)
    assert sorted(d.code or "done" for d in done) == ["MISSING_SLICES", "done"]
    assert [secret for secret in SECRETS if secret in repr(done)] == []
    assert "MISSING_SLICES: " in (tmp_path / "cohort.key.tsv").read_text()
    assert len(find_images(tmp_path / "cohort")) == 1


def test_what_a_killed_run_left_is_no_study_and_is_done_again(tmp_path: Path) -> None:
    source = export(tmp_path, ERIKA)
    imported(source, tmp_path)
    home = tmp_path / "cohort"
    (image,) = find_images(home)
    before = {p.relative_to(home): p.read_bytes() for p in home.rglob("*.gz")}
    image.image.unlink()
    (home / f".wirbel-partial-{image.stem}-0a1b2c3d").mkdir()
    (home / f".wirbel-partial-{image.stem}-0a1b2c3d" / "half_ct.nii.gz").write_bytes(b"half")
    (again,) = imported(source, tmp_path)
    assert again.is_done
    assert not again.was_there
    assert {p.relative_to(home): p.read_bytes() for p in home.rglob("*.gz")} == before
    assert not list(home.glob(".wirbel-partial-*"))


def test_labels_with_the_hospitals_numbers_become_the_table(tmp_path: Path) -> None:
    source = export(tmp_path, ERIKA, HANS)
    imported(source, tmp_path)
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "patient,name,vertebra,class,source,age,study\n"
        "KH-4711/22,Erika M.,L1,malignant_fracture,histology,,ACC998877\n"
        "KH-0815,Hans M.,T12,osteoporotic_fracture,follow_up,65,\n"
        "KH-9999,Nobody,T12,normal,expert,,\n"
    )
    home, key = tmp_path / "cohort", tmp_path / "cohort.key.tsv"
    assert complete_tables(home, key, labels) == (2, [4])
    assert complete_tables(home, key, labels) == (0, [4])
    table = open_cohort(home).table.checked()
    assert [(v.level.name, v.age_years, v.sex and v.sex.value) for v in table.vertebrae] == [
        ("L1", 90.0, "F"), ("T12", 65.0, "M"),
    ]  # fmt: skip
    assert [secret for secret in SECRETS if secret in everything(home)] == []
    assert {v.patient for v in table.vertebrae} == {i.patient for i in find_images(home)}


def test_edited_rows_stay_when_more_is_imported(tmp_path: Path) -> None:
    imported(export(tmp_path, ERIKA), tmp_path)
    home, key = tmp_path / "cohort", tmp_path / "cohort.key.tsv"
    complete_tables(home, key, None)
    edited = (home / "cohort.tsv").read_text().replace("unclear", "normal", 1)
    (home / "cohort.tsv").write_text(edited)
    imported(export(tmp_path, HANS), tmp_path)
    complete_tables(home, key, None)
    assert (home / "cohort.tsv").read_text().startswith(edited)
    assert len((home / "cohort.tsv").read_text().splitlines()) == 9


def test_nifti_exports_are_named_by_their_files(tmp_path: Path) -> None:
    ct, _ = drawn_ct(4)
    save_nifti(tmp_path / "export" / "Zebulon" / "ct.nii.gz", ct.hu, ct.grid, "PIR")
    (done,) = imported(tmp_path / "export", tmp_path)
    assert done.is_done
    assert "Zebulon" not in everything(tmp_path / "cohort")


def test_a_ct_without_a_spine_and_a_process_of_its_own(tmp_path: Path) -> None:
    source = export(tmp_path, ERIKA, HANS)
    done = import_studies(source, tmp_path / "c", tmp_path / "c.key.tsv", ShippedSegmenter(), spread=Processes(2))
    assert {d.code for d in done} == {"NO_SPINE"}
    assert not list((tmp_path / "c").iterdir())


def test_the_key_may_not_lie_in_the_cohort_and_must_be_a_key(tmp_path: Path) -> None:
    source = export(tmp_path, ERIKA)
    with pytest.raises(UsageError, match="would lie in the cohort"):
        import_studies(source, tmp_path / "c", tmp_path / "c" / "key.tsv", FromMasks())
    (tmp_path / "k.tsv").write_text("something else")
    with pytest.raises(InputRejected, match="no key of a cohort"):
        import_studies(source, tmp_path / "c", tmp_path / "k.tsv", FromMasks())


def test_a_key_is_read_as_it_was_written(tmp_path: Path) -> None:
    source = export(tmp_path, ERIKA, HANS)
    book = KeyBook()
    for folder in sorted(source.iterdir()):
        book = book.with_study(identity_of(folder, source), folder.name)
    book = book.with_outcome(book.entries[0].stem, "done\nreally")
    write_key_book(tmp_path / "k.tsv", book)
    assert read_key_book(tmp_path / "k.tsv").entries == book.entries
    assert book.entries[0].pseudonym != book.entries[1].pseudonym
    assert book.with_study(identity_of(source / "Meier Hans", source), "again").entries == book.entries


@pytest.mark.slow
def test_a_real_chest_goes_through_with_the_shipped_networks(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "ct" / "lidc-idri-0001"
    (done,) = import_studies(source, tmp_path / "c", tmp_path / "c.key.tsv", ShippedSegmenter())
    assert done.is_done
    complete_tables(tmp_path / "c", tmp_path / "c.key.tsv", None)
    report = check_cohort(open_cohort(tmp_path / "c"), CheckSettings(limits=SizeLimits(0, 0)))
    assert {p.code.value for p in report.errors} == {"one_class"}
    assert len(report.excluded) >= 6
    assert "LIDC" not in everything(tmp_path / "c")

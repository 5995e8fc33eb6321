"""Files sorted into stacks: one acquisition, one orientation, one matrix each; never several stacked as one."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from wirbel.dicom.header import ImageHeader
from wirbel.errors import InputRejected
from wirbel.ingest.geometry import stack_of
from wirbel.ingest.settings import GeometrySettings

#: More acquisitions than this in one even stack are a step-and-shoot scan.
MAX_ACQUISITIONS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Slices that may form a stack. `notes` say what was told apart or left out."""

    slices: tuple[ImageHeader, ...]
    notes: tuple[str, ...] = ()


def parts_of(headers: Iterable[ImageHeader], settings: GeometrySettings) -> tuple[Part, ...]:
    """Every image of an input in exactly one part (files that came twice count once), in input order."""
    parts = []
    for series in _by(headers, lambda h: (h.study_uid, h.series_uid, h.modality, h.sop_class)):
        kept, notes = _once(series)
        for alike in _by(kept, _matrix):
            for flat in _one_orientation(alike, settings.orientation_tolerance):
                parts += [Part(p.slices, notes + p.notes) for p in _acquisitions(flat, settings)]
    return tuple(parts)


def _matrix(header: ImageHeader) -> Hashable:
    return (
        header.layout.rows,
        header.layout.columns,
        header.pixel_spacing_mm,
        header.frame_of_reference_uid,
        header.image_type[2:3],
        header.kernel,
    )


def _by(headers: Iterable[ImageHeader], key: Callable[[ImageHeader], Hashable]) -> list[list[ImageHeader]]:
    groups: dict[Hashable, list[ImageHeader]] = defaultdict(list)
    for header in headers:
        groups[key(header)].append(header)
    return list(groups.values())


def _once(series: Sequence[ImageHeader]) -> tuple[list[ImageHeader], tuple[str, ...]]:
    """Leave out files that came twice; different images of one identifier all stay (their places decide)."""
    seen: dict[Hashable, ImageHeader] = {}
    kept, twice = [], 0
    for header in series:
        key = (header.sop_uid, header.layout.frame)
        first = seen.setdefault(key, header)
        if header.sop_uid is None or first is header:
            kept.append(header)
        elif first.position_lps_mm == header.position_lps_mm and _digest(first) == _digest(header):
            twice += 1
        else:
            kept.append(header)
    return kept, (f"{twice} files came twice and count once",) if twice else ()


def _digest(header: ImageHeader) -> bytes:
    return sha256(header.source.read()).digest()


def _one_orientation(slices: Sequence[ImageHeader], tolerance: float) -> list[list[ImageHeader]]:
    groups: list[tuple[np.ndarray | None, list[ImageHeader]]] = []
    for header in slices:
        cosines = np.array(header.orientation) if header.orientation and len(header.orientation) == 6 else None
        for first, group in groups:
            if cosines is None or first is None:
                if cosines is first:
                    group.append(header)
                    break
            elif np.max(np.abs(cosines - first)) <= tolerance:
                group.append(header)
                break
        else:
            groups.append((cosines, [header]))
    return [group for _, group in groups]


def _acquisitions(slices: Sequence[ImageHeader], settings: GeometrySettings) -> list[Part]:
    """Told apart by acquisition or temporal position; by time only where the stack is uneven otherwise."""
    whole = Part(tuple(slices))
    keys: tuple[tuple[str, Callable[[ImageHeader], Hashable], bool], ...] = (
        ("acquisition number", lambda h: h.acquisition_number, False),
        ("temporal position", lambda h: h.temporal_position, False),
        ("acquisition time", lambda h: h.acquisition_time, True),
        ("image type", lambda h: h.image_type, True),
        ("series description", lambda h: h.series_description, True),
    )
    uneven = not _is_even(slices, settings)
    for name, key, only_if_uneven in keys:
        groups = _by(slices, key)
        if len(groups) < 2 or (only_if_uneven and not uneven):
            continue
        large = [g for g in groups if len(g) >= settings.min_slices]
        if uneven and any(_is_even(g, settings) for g in large):
            return [p for g in groups for p in _told(_acquisitions(g, settings), name, len(groups))]
        if not uneven and len(large) == len(groups) <= MAX_ACQUISITIONS:
            return _told([Part(tuple(g)) for g in groups], name, len(groups))
    return [whole]


def _told(parts: list[Part], key: str, count: int) -> list[Part]:
    note = f"one of {count} scans under one series identifier, told apart by {key}"
    return [Part(p.slices, (note, *p.notes)) for p in parts]


def _is_even(slices: Sequence[ImageHeader], settings: GeometrySettings) -> bool:
    try:
        stack_of(tuple(slices), settings)
    except InputRejected:
        return False
    return True

"""A result as a page: Markdown, HTML or JSON, with the sentence that a paper would print first.

`Page` holds text, tables and drawn figures; what fills it is in `study_pages`. Every page says that it is for
research use only, and a page from simulated data says so as well.
"""

from __future__ import annotations

import html
import json
import math
from dataclasses import dataclass, field

RESEARCH_ONLY = "Research use only."
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;
       background: #fff }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ccc; text-align: right }
th { border-bottom: 2px solid #555 }
th:first-child, td:first-child, .text { text-align: left }
figure { margin: 1.5rem 0 }
svg { max-width: 100%; height: auto }
.note { color: #555 }
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table of text."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure as SVG text, with the name of its file and its caption."""

    name: str
    caption: str
    svg: str


@dataclass(frozen=True, slots=True)
class Page:
    """One result: the sentences, the tables, the drawings and the numbers for machines."""

    title: str
    sentences: tuple[str, ...]
    tables: tuple[Table, ...]
    drawings: tuple[Drawing, ...] = ()
    notes: tuple[str, ...] = ()
    numbers: dict[str, object] = field(default_factory=dict)


def as_markdown(page: Page) -> str:
    """The page as Markdown; drawings are linked by file name."""
    parts = [f"# {page.title}", *page.sentences]
    for table in page.tables:
        lines = [f"## {table.title}", "", _row(table.header), "|" + "---|" * len(table.header)]
        parts.append("\n".join([*lines, *(_row(row) for row in table.rows)]))
    parts.extend(f"![{d.caption}]({d.name}.svg)" for d in page.drawings)
    parts.extend(f"*{note}*" for note in (*page.notes, RESEARCH_ONLY))
    return "\n\n".join(parts) + "\n"


def as_html(page: Page) -> str:
    """The page as one HTML file without any outside reference; drawings are inside."""
    e = html.escape
    parts = [f"<h1>{e(page.title)}</h1>", *(f"<p>{e(s)}</p>" for s in page.sentences)]
    for table in page.tables:
        marks = [' class="text"' if _is_text(column) else "" for column in zip(*table.rows, strict=True)]
        marks = marks or [""] * len(table.header)
        head = "".join(f'<th scope="col"{m}>{e(h)}</th>' for h, m in zip(table.header, marks, strict=True))
        body = "".join(
            "<tr>" + "".join(f"<td{m}>{e(c)}</td>" for c, m in zip(row, marks, strict=True)) + "</tr>"
            for row in table.rows
        )
        parts.append(f"<h2>{e(table.title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    for d in page.drawings:
        svg = d.svg[d.svg.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{e(d.caption)}"', 1)
        parts.append(f"<figure>{svg}<figcaption>{e(d.caption)}</figcaption></figure>")
    parts.extend(f'<p class="note">{e(note)}</p>' for note in (*page.notes, RESEARCH_ONLY))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{e(page.title)}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def as_json(page: Page) -> str:
    """The numbers of the page as JSON; infinite degrees of freedom become the string "inf", NaN null."""
    content = {
        "title": page.title,
        "sentences": page.sentences,
        **page.numbers,
        "note": [*page.notes, RESEARCH_ONLY],
    }
    return json.dumps(_plain(content), indent=2, ensure_ascii=False) + "\n"


def number(value: float, digits: int = 3) -> str:
    """A number with a fixed count of digits, a true minus sign, and no negative zero."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) != 0 else text.lstrip("-")


def p_value(p: float) -> str:
    """'p = 0.052', 'p < 0.001'."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _is_text(column: tuple[str, ...]) -> bool:
    """Whether no cell of a column holds a digit first: methods and reasons are set from the left."""
    return not any(cell[:1].isdigit() or cell[:2].lstrip("−-∞")[:1].isdigit() for cell in column)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")
    return value

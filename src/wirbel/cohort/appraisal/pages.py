"""The report as HTML (one file, nothing outside), Markdown, and CSV."""

import base64
import csv
import html
import io
from collections.abc import Iterable, Sequence

from wirbel.cohort.appraisal.sheet import Document, Picture, Section, Share, Sheet, cell_text
from wirbel.evaluation import Estimate, NotEstimable
from wirbel.evaluation.pages import RESEARCH_ONLY

SIMULATED, PRINTED = "SIMULATED", "PRINTED IN THE STUDY"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;
       background: #fff }
h1 { line-height: 1.2 } h2 { margin-top: 3rem; border-bottom: 2px solid #ccc } h3 { margin: 2rem 0 .25rem }
nav a { margin-right: 1rem; white-space: nowrap }
.scroll { overflow-x: auto }
table { border-collapse: collapse; margin: .5rem 0; font-size: 13px; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top }
th { border-bottom: 2px solid #555; vertical-align: bottom }
tbody tr:nth-child(even) { background: #f7f7f7 }
.simulated, .printed { display: inline-block; background: #a00000; color: #fff; padding: 0 .5rem; font-weight: 600;
             font-size: .8rem; letter-spacing: .05em }
.printed { background: #555 }
.lead { border-left: 4px solid #0072b2; padding: .5rem 1rem; background: #f2f7fb }
.pictures { display: flex; flex-wrap: wrap; gap: 1.5rem } figure { margin: 1rem 0; max-width: 38rem }
figure img { max-width: 100%; height: auto } figcaption { font-size: 13px; color: #444 }
.note { color: #444; font-size: 13px; max-width: 70rem } footer { margin-top: 3rem; font-size: 12px; color: #444 }
footer td { word-break: break-all }
@media print { .scroll { overflow: visible } }
"""


def as_html(document: Document) -> str:
    """One HTML file; figures are inside."""
    e = html.escape
    badge = f'<span class="simulated">{SIMULATED}</span> ' if document.simulated else ""
    links = " ".join(f'<a href="#s{k}">{e(s.title)}</a>' for k, s in enumerate(document.sections))
    parts = [f"<h1>{badge}{e(document.title)}</h1>", f"<nav>{links}</nav>"]
    parts.append(f'<div class="lead">{"".join(f"<p>{e(line)}</p>" for line in document.lead)}</div>')
    parts += [_section_html(f"s{k}", section, badge) for k, section in enumerate(document.sections)]
    foot = "".join(f"<tr><td>{e(k)}</td><td>{e(v)}</td></tr>" for k, v in document.foot)
    parts.append(f"<footer><p>{badge}{RESEARCH_ONLY}</p><table><tbody>{foot}</tbody></table></footer>")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{e(document.title)}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def as_markdown(document: Document, *, pictures: str = "figures") -> str:
    """Markdown; figures are linked in the folder `pictures`."""
    word = f"{SIMULATED}: " if document.simulated else ""
    parts = [f"# {word}{document.title}", f"*{RESEARCH_ONLY}*", *document.lead]
    for section in document.sections:
        parts += [f"## {section.title}", *section.sentences]
        for sheet in _with_rows(section):
            own = f"{PRINTED}: " if sheet.printed else word
            parts += [f"### {own}{sheet.title}", _markdown_table(sheet)]
            parts += [f"*{sheet.note}*"] if sheet.note else []
        parts += [f"![{word}{p.caption}]({pictures}/{p.name})\n\n*{word}{p.caption}.*" for p in section.pictures]
    parts.append("## What it rests on")
    parts.append("\n".join(["| what | value |", "|---|---|", *(f"| {k} | {v} |" for k, v in document.foot)]))
    parts.append(f"*{word}{RESEARCH_ONLY}*")
    return "\n\n".join(parts) + "\n"


def sheet_csv(sheet: Sheet, *, simulated: bool) -> str:
    """One table as printed, the first column saying that it is simulated."""
    rows = [tuple(map(cell_text, row)) for row in sheet.rows]
    word = _data(sheet, simulated=simulated)
    return _csv([("data", *sheet.header), *((word, *row) for row in rows)])


def figures_csv(document: Document) -> str:
    """Every figure of every table for machines: where it stands, value, limits, counts, method."""
    out: list[Sequence[object]] = [
        ("data", "table", "row", "figure", "value", "low", "high", "level", "n", "hits", "of", "method")
    ]
    for sheet in document.sheets:
        word = _data(sheet, simulated=document.simulated)
        for row in sheet.rows:
            name = " | ".join(cell_text(c) for c in row[: sheet.keys])
            for title, cell in zip(sheet.header[sheet.keys :], row[sheet.keys :], strict=True):
                counts = (cell.hits, cell.of) if isinstance(cell, Share) else ("", "")
                figure = cell.estimate if isinstance(cell, Share) else cell
                if isinstance(figure, Estimate):
                    numbers = (figure.value, figure.low, figure.high, figure.level, figure.n)
                    out.append((word, sheet.name, name, title, *numbers, *counts, figure.method))
                elif isinstance(figure, float | int):
                    out.append((word, sheet.name, name, title, figure, "", "", "", "", *counts, "count or value"))
                elif isinstance(figure, NotEstimable):
                    out.append((word, sheet.name, name, title, "", "", "", "", "", *counts, str(figure)))
    return _csv(out)


def _section_html(anchor: str, section: Section, badge: str) -> str:
    e = html.escape
    parts = [f'<h2 id="{anchor}">{e(section.title)}</h2>', *(f"<p>{e(line)}</p>" for line in section.sentences)]
    for sheet in _with_rows(section):
        head = "".join(f'<th scope="col">{e(title)}</th>' for title in sheet.header)
        body = "".join(
            "<tr>" + "".join(f"<td>{e(cell_text(cell))}</td>" for cell in row) + "</tr>" for row in sheet.rows
        )
        mark = f'<span class="printed">{PRINTED}</span> ' if sheet.printed else badge
        parts.append(f"<h3>{mark}{e(sheet.title)}</h3>")
        parts.append(
            f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )
        parts += [f'<p class="note">{e(sheet.note)}</p>'] if sheet.note else []
    if section.pictures:
        parts.append(f'<div class="pictures">{"".join(_picture_html(p, badge) for p in section.pictures)}</div>')
    return "".join(parts)


def _picture_html(picture: Picture, badge: str) -> str:
    kind = "svg+xml" if picture.is_svg else "png"
    data = base64.b64encode(picture.data).decode("ascii")
    caption = html.escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/{kind};base64,{data}">'
        f"<figcaption>{badge}{caption}.</figcaption></figure>"
    )


def _data(sheet: Sheet, *, simulated: bool) -> str:
    """What the rows of a table are."""
    return PRINTED if sheet.printed else SIMULATED if simulated else "real"


def _with_rows(section: Section) -> tuple[Sheet, ...]:
    return tuple(sheet for sheet in section.sheets if sheet.rows)


def _markdown_table(sheet: Sheet) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"

    rows = [line(map(cell_text, row)) for row in sheet.rows]
    return "\n".join([line(sheet.header), "|" + "---|" * len(sheet.header), *rows])


def _csv(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()

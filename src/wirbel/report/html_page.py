"""The page as one HTML file that opens offline: fonts and pictures inside, no script, nothing fetched."""

import base64
from importlib.resources import files

import jinja2

from wirbel.report.page import Page

WEIGHTS = {400: "Inter-Regular.otf", 600: "Inter-SemiBold.otf"}


def html_of(page: Page) -> str:
    """The HTML; every word from a header is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("wirbel.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("report.html.jinja")
    return template.render(page=page, label=page.labels, fonts=_fonts())


def _fonts() -> dict[int, str]:
    folder = files("wirbel.report").joinpath("fonts")
    return {
        weight: base64.b64encode(folder.joinpath(name).read_bytes()).decode("ascii")
        for weight, name in WEIGHTS.items()
    }

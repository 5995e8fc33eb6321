"""`wirbel analyze`: CTs in, a report each out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Engine(StrEnum):
    """Who segments where no masks are given."""

    NETWORK = "network"
    TOTALSEGMENTATOR = "totalsegmentator"


class Backend(StrEnum):
    """What runs the networks."""

    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"


class Numbering(StrEnum):
    """How the numbers in given masks are meant."""

    VERSE = "verse"
    TOTALSEGMENTATOR = "totalsegmentator"


class Tiers(StrEnum):
    """How osteoporotic, uncertain and malignant are told apart."""

    CERTIFIED = "certified"
    AUTHORS = "authors"


class Lang(StrEnum):
    """Languages of the report."""

    EN = "en"
    DE = "de"
    NL = "nl"


def analyze(  # noqa: PLR0913, PLR0917  # a command line's options are its parameters
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help="DICOM folder, zip, multi-frame file or NIfTI; several, or a folder of studies.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="OUT", help="Folder for the result; one below it for each of several."),
    ],
    masks: Annotated[
        Path | None,
        typer.Option(help="Your own vertebra masks (NIfTI or DICOM SEG) instead of the network's.", metavar="FILE"),
    ] = None,
    numbering: Annotated[Numbering | None, typer.Option(help="How the masks are numbered.")] = None,
    engine: Annotated[Engine, typer.Option(help="Who segments.")] = Engine.NETWORK,
    lang: Annotated[Lang, typer.Option(help="Language of the report.")] = Lang.EN,
    shift_levels: Annotated[
        int, typer.Option(metavar="N", help="Move all level names down by N (negative: up), as a reader judged.")
    ] = 0,
    name: Annotated[
        str | None,
        typer.Option(metavar="Vn=LEVEL", help="Name one vertebra (V3=T12) and count the others from it."),
    ] = None,
    calibration: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="TOML with mg_cm3_per_hu, mg_cm3_at_0_hu of this scanner and protocol; or what wirbel recalibrate "
            "wrote. May be given again.",
            show_default=False,
        ),
    ] = None,
    series_table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own table of which series serve what.")
    ] = None,
    backend: Annotated[Backend, typer.Option(help="What runs the networks.")] = Backend.ONNXRUNTIME,
    bundle: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Networks of your own instead of those that ship: what wirbel train spine, fracture or signs "
            "--onto wrote. May be given again.",
            show_default=False,
        ),
    ] = None,
    cause: Annotated[
        bool, typer.Option("--cause/--no-cause", help="Ask the classifier for the cause of fractures.")
    ] = True,
    clinical: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Age, sex, known cancer: JSON of one patient, or CSV with column patient or study."
        ),
    ] = None,
    tiers: Annotated[
        Tiers, typer.Option(help="Thresholds with a promised error, or the study's own.")
    ] = Tiers.CERTIFIED,
    prevalence: Annotated[
        float | None, typer.Option(metavar="P", help="Share of malignant fractures that probabilities assume.")
    ] = None,
    simulated_answers: Annotated[
        bool,
        typer.Option(
            "--simulated-answers", help="Let a calibration on drawings speak of a real CT (research on the method)."
        ),
    ] = False,
    pred_json: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write SUB/SUB_pred.json below it, as the study's code does."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Work on a Dask cluster: its scheduler (tcp://host:8786) or scheduler file."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a folder that holds something else.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines on standard output.")] = False,
) -> None:
    """Find, name, measure and grade vertebrae; write a report. Research use only."""
    from wirbel.cli.batch import analyse_inputs  # noqa: PLC0415  # keeps --help fast
    from wirbel.cli.order import order_of  # noqa: PLC0415

    order = order_of(
        masks=masks,
        numbering=numbering.value if numbering else None,
        engine=engine.value,
        backend=backend.value,
        lang=lang.value,
        shift_levels=shift_levels,
        name=name,
        calibration=calibration or [],
        series_table=series_table,
        overwrite=overwrite,
        bundles=bundle or [],
        cause=cause,
        tiers=tiers.value,
        prevalence=prevalence,
        simulated_answers=simulated_answers,
        clinical=clinical,
        authors_form=pred_json,
    )
    raise typer.Exit(analyse_inputs(inputs, out, order, as_json=json, cluster=cluster))

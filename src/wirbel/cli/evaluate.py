"""`wirbel evaluate spine|fracture`: the spine's figures on annotated CTs, and the study's tables of a cohort."""

import json
from pathlib import Path
from typing import Annotated

import typer

from wirbel.cli.evaluate_fracture import fracture

app = typer.Typer(no_args_is_help=True, help="Measure what the networks do. Research use only.")
app.command("fracture")(fracture)


@app.callback()
def _group() -> None:
    """Measure what the networks do. Research use only."""


@app.command("spine")
def spine(
    data: Annotated[Path, typer.Option("--data", help="Hand-out with ct/ and annotations/.")],
    bundle: Annotated[Path | None, typer.Option("--bundle", help="Bundle folder, else the shipped one.")] = None,
    case: Annotated[list[str] | None, typer.Option("--case", help="Case or patient; repeatable.")] = None,
    backend: Annotated[str, typer.Option(help="onnxruntime or openvino.")] = "onnxruntime",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Detection, distance, numbering and identification, always side by side, and Dice where there are masks."""
    from wirbel.network import load_bundle, load_spine_segmenter  # noqa: PLC0415  # keeps --help fast
    from wirbel.spine.naming import name_levels  # noqa: PLC0415
    from wirbel.spine.settings import SpineSettings  # noqa: PLC0415
    from wirbel.training.assess import assess, summary_of, table_row  # noqa: PLC0415

    segment = load_spine_segmenter(
        bundle=load_bundle(bundle) if bundle else None,
        backend="openvino" if backend == "openvino" else "onnxruntime",
    )
    done = []
    for figures in assess(data, segment, lambda e: name_levels(e, SpineSettings()), cases=case):
        done.append(figures)
        typer.echo(json.dumps(figures.to_json()) if as_json else table_row(figures))
    summary = summary_of(done)
    typer.echo(json.dumps(summary) if as_json else "\n".join(f"{k}: {v}" for k, v in summary.items()))

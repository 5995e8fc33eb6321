"""`wirbel info`: versions, bundles with their hashes, hardware."""

import json as json_text
from typing import Annotated

import typer


def info(
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Show versions, networks with their hashes, hardware."""
    from wirbel.cli.installation import installation  # noqa: PLC0415  # keeps --help fast

    found = installation()
    typer.echo(json_text.dumps(found.as_dict(), indent=2) if json else found.as_text())

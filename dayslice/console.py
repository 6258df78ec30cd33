"""What a program reads: the `--json` output of commands."""

import json
from typing import Any

import click


def print_json(value: Any) -> None:
    """The `--json` output of a command: one JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))

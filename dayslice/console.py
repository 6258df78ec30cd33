"""What commands print: JSON for programs, warnings for people."""

import json
import logging
from typing import Any

import click

# The packages whose warnings are sentences for whoever typed the command.
OWN = ("dayslice", "dayslice_importers")


def print_json(value: Any) -> None:
    """The `--json` output of a command: one JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


class Warnings(logging.Handler):
    """Prints a warning as errors are printed: one sentence on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        click.echo(f"{click.style('warning:', fg='yellow')} {record.getMessage()}", err=True)


def tell_warnings() -> None:
    """From now on warnings of our own come in one form, whatever dbt or a library sets up for theirs."""
    for name in OWN:
        logger = logging.getLogger(name)
        logger.handlers = [Warnings(logging.WARNING)]
        logger.propagate = False

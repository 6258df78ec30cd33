"""The command line: `dayslice COMMAND`. Each command is a module of `dayslice/commands/`, imported when called."""

import contextlib
import importlib
import os
import signal
import sys
from typing import Any

import click

from dayslice import __version__
from dayslice.console import tell_warnings
from dayslice.faults import STANDS, TRACEBACK, sentence_of
from dayslice.metastore.patience import look_only
from dayslice.store.privacy import keep_private

# In the order a newcomer meets them. A command `a-b` is the function `a_b` of its module.
COMMANDS: dict[str, str] = {
    "init": "init",
    "demo": "demo",
    "new": "new",
    "import": "import_tables",
    "build": "build",
    "plan": "plan",
    "backfill": "backfill",
    "status": "status",
    "why": "why",
    "alert": "alert",
    "sql": "sql",
    "diff": "diff",
    "history": "history",
    "docs": "docs",
    "versions": "versions",
    "rollback": "rollback",
    "unpublish": "unpublish",
    "retain": "retain",
    "drop": "drop",
    "erase": "erase",
    "verify": "verify",
    "adopt": "adopt",
    "migrate": "migrate",
    "check": "check",
    "airflow": "airflow",
    "superset": "superset",
    "stack": "stack",
}


class NobodyReads(Exception):
    """Whoever read the output has enough, as `head` has."""


# They only look: somebody waits for the answer.
LOOKS = {"plan", "status", "why", "sql", "diff", "history", "versions", "verify"}
# What these write is a project's text, which goes into Git; all others write data.
PROJECT_WRITERS = {"init", "new"}


class Commands(click.Group):
    """Finds a command's module by its name; importing them all would load dbt for `--help`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, in their order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its module imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dayslice.commands.{COMMANDS[cmd_name]}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Click and Rich would end with 1 at a closed pipe, which here says that a slice failed."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise NobodyReads from None
        except SystemExit as ended:
            if isinstance(ended.__context__, BrokenPipeError):
                raise NobodyReads from None
            raise
        return code


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def dayslice() -> None:
    """A warehouse of flat tables, each cut into daily write-once slices.

    Data is never unavailable and never half there; it may only be late.
    """


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 some slice failed, 2 wrong usage, 130 stopped by Ctrl-C."""
    try:
        if not PROJECT_WRITERS.intersection(sys.argv[1:2]):
            keep_private()
        if LOOKS.intersection(sys.argv[1:2]):
            look_only()
        tell_warnings()
        sys.exit(dayslice.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _say(f"stopped; {STANDS}")
        sys.exit(130)
    except NobodyReads:
        # Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(128 + signal.SIGPIPE)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        sentence, code = sentence_of(error)
        _say(f"{click.style('error:', fg='red')} {sentence}")
        sys.exit(code)


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError):  # nobody may be listening any more
        click.echo(sentence, err=True)

"""The command line: `dayslice COMMAND`. Each command is a module of `dayslice/commands/`, imported when called."""

import importlib
import sys

import click

from dayslice import __version__
from dayslice.errors import DaysliceError

# In the order a newcomer meets them. A command `a-b` is the function `a_b` of its module.
COMMANDS: dict[str, str] = {
    "demo": "demo",
    "new": "new",
    "import": "import_tables",
    "build": "build",
    "backfill": "backfill",
    "status": "status",
    "docs": "docs",
    "versions": "versions",
    "rollback": "rollback",
    "retain": "retain",
    "check": "check",
    "airflow": "airflow",
    "superset": "superset",
    "stack": "stack",
}


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


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def dayslice() -> None:
    """A warehouse of flat tables, each cut into daily write-once slices.

    Data is never unavailable and never half there; it may only be late.
    """


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 some slice failed, 2 wrong usage."""
    try:
        sys.exit(dayslice.main(standalone_mode=False) or 0)
    except DaysliceError as error:
        click.echo(f"{click.style('error:', fg='red')} {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; what was published stands, and a rerun is safe", err=True)
        sys.exit(130)

"""`dayslice docs`: dbt's docs site, with lineage."""

import signal
import subprocess
import sys

import click

from dayslice.commands.options import target
from dayslice.runner.dbt_runs import Dbt
from dayslice.runner.project import find_root


@click.command()
@click.option("--port", default=8090, show_default=True, help="The port on 127.0.0.1.")
@click.option("--no-serve", is_flag=True, help="Only make the site, in target/, with static_index.html to send around.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@target
def command(port: int, no_serve: bool, no_browser: bool, target: str | None) -> int:
    """Make dbt's docs site (tables, columns, lineage) and serve it on this machine only.

    \b
    Examples:
      dayslice docs
      dayslice docs --no-serve
    """
    root = find_root()
    Dbt(root, target).run(["docs", "generate", "--static"])
    click.echo(f"made {root / 'target' / 'static_index.html'}")
    if no_serve:
        return 0
    click.echo(f"serving http://127.0.0.1:{port} (end with Ctrl-C)")
    serve = ["docs", "serve", "--host", "127.0.0.1", "--port", str(port), *(["--no-browser"] if no_browser else [])]
    where = ["--project-dir", str(root), "--profiles-dir", str(root)]
    return serve_until_stopped([sys.executable, "-m", "dbt.cli.main", *serve, *where])


def serve_until_stopped(command: list[str]) -> int:
    """Run a server until it ends or this process is told to; it does not outlive us. Its exit code."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    server = subprocess.Popen(command)
    try:
        return server.wait()
    finally:
        server.terminate()
        server.wait()
        signal.signal(signal.SIGTERM, before)

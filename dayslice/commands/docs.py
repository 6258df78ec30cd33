"""`dayslice docs`: dbt's docs site, with lineage."""

import signal
import subprocess
import sys

import click

from dayslice.commands.options import target
from dayslice.runner.docs_site import make_site
from dayslice.runner.project import load_project


@click.command()
@click.option("--port", default=8090, show_default=True, help="The port on 127.0.0.1.")
@click.option("--no-serve", is_flag=True, help="Only make the site, in target/, with static_index.html to send around.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@target
def command(port: int, no_serve: bool, no_browser: bool, target: str | None) -> int:
    """Make the docs site (what stands, each table's columns, rhythm and waits, lineage) and serve it on this machine.

    The calendar of all slices is a page of its own beside it: see dayslice status --html.

    \b
    Examples:
      dayslice docs
      dayslice docs --no-serve
    """
    site, whole = make_site(load_project(target=target))
    click.echo(f"made {whole}")
    if no_serve:
        return 0
    address = f"http://127.0.0.1:{port}"
    click.echo(f"serving {address} (end with Ctrl-C)")
    if not no_browser:
        click.launch(address)
    serve = ["http.server", str(port), "--bind", "127.0.0.1", "--directory", str(site)]
    return serve_until_stopped([sys.executable, "-m", *serve])


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

"""One node: a network, a host's name and a home of its own, and the processes that it was told to run. Its settings
are those of docs/nodes.md, as they stand there.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

import psutil

from dayslice.orchestration.environment import program
from dayslice.services.service import Service, environment_with

PAGE = Path(__file__).parents[2] / "docs" / "nodes.md"
# Where the page has a node's files.
PLACE = "/srv/dayslice"


def documented(file: str, values: Mapping[str, str]) -> dict[str, str]:
    """The variables of a file that docs/nodes.md shows, with `values` in place of its $NAMES."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    [block] = [each for each in blocks if each.startswith(f"# {file}:")]
    lines = shlex.split(Template(block).substitute(values), comments=True)
    return dict(line.split("=", 1) for line in lines)  # type: ignore[misc]


@dataclass
class Node:
    """See the module. `environment` has secrets."""

    name: str
    home: Path
    namespace: str
    address: str
    environment: dict[str, str | None]

    def inside(self, command: str, *words: str) -> list[str]:
        """How a program of this environment is run on the node."""
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.name]
        return ["ip", "netns", "exec", self.namespace, *named, str(program(command)), *words]

    def service(self, name: str, *words: str) -> Service:
        command = self.inside("airflow", *words)
        return Service(f"{self.name}'s {name}", self.home / name, lambda: command, None, self.environment)

    def start(self, name: str, *words: str) -> Service:
        """`airflow <words>`, which goes on."""
        service = self.service(name, *words)
        service.start()
        return service

    def log(self, name: str) -> str:
        file = self.home / name / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def kill(self, name: str) -> None:
        """As if the node had lost its power: all of it at once, with the tasks that it has."""
        family = self.service(name).family()
        for each in family:
            each.kill()
        psutil.wait_procs(family, 10)

    def run(self, command: str, *words: str, cwd: Path | None = None) -> str:
        """A command on the node, to its end; what it printed."""
        env = environment_with(self.environment)
        done = subprocess.run(
            self.inside(command, *words), env=env, capture_output=True, text=True, check=False, cwd=cwd or self.home
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def copy_deployment(self, source: Path, target: str) -> None:
        """As docs/nodes.md says: the folder, then the link in one step, then the files that Airflow reads."""
        before, after = source / "deployed" / target, self.home / "deployed" / target
        after.mkdir(parents=True, exist_ok=True)
        id = (before / "current").readlink().name
        if not (after / id).exists():
            shutil.copytree(before / id, after / id)
        new = after / ".new"
        new.symlink_to(id)
        new.replace(after / "current")
        shutil.copytree(before / "dags", after / "dags", dirs_exist_ok=True)

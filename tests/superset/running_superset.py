"""A real Superset of a copy of this repository's project: driven by the command line, its API and a browser."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from dayslice.services.service import LOOPBACK
from dayslice.services.superset.instance import SupersetInstance
from tests.warm.programs import program

REPOSITORY = Path(__file__).parents[2]
ANALYST, PASSWORD = "ana", "an-analyst's password"


def copy_project(root: Path) -> None:
    """This repository's project, whose models and dashboards are the copy's own. One of its tables can be late."""
    for name in ("dbt_project.yml", "profiles.yml", "seeds"):
        (root / name).symlink_to(REPOSITORY / name)
    for name in ("models", "dashboards"):
        shutil.copytree(REPOSITORY / name, root / name)
    yaml = root / "models" / "company" / "company_metrics.yml"
    text = yaml.read_text()
    assert "start: 2013-01-01," in text
    yaml.write_text(text.replace("start: 2013-01-01,", "start: 2013-01-01, late_after: 6h,"))


@dataclass
class RunningSuperset:
    """`root` is the project; `home` its DAYSLICE_HOME."""

    root: Path
    home: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    said: str = ""

    @property
    def instance(self) -> SupersetInstance:
        return SupersetInstance(self.home)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def run(self, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """`dayslice <words>` in the project, to its end."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
        own.pop("PYTHONDONTWRITEBYTECODE", None)
        done = subprocess.run(
            [program("dayslice"), *words],
            cwd=self.root,
            env={**own, "DAYSLICE_HOME": str(self.home), "COLUMNS": "200", **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        assert done.returncode == code, done.stdout + done.stderr + self.instance.service().log_tail(30)
        return done

    def login(self, user: str = "admin", password: str = "") -> "Session":
        """The API, as a person in a browser has it."""
        known = json.loads(self.instance.secrets_file.read_text())["admin_password"]
        return Session(self.url, user, password or known)


class Session:
    """One person's login: its cookie, and the token that every change needs."""

    def __init__(self, url: str, user: str, password: str):
        self.url = url
        self.http = requests.Session()
        page = self.http.get(f"{url}/login/").text
        found = re.search(r'csrf_token&#34;: &#34;([^&]+)|name="csrf_token"[^>]*value="([^"]+)', page)
        assert found, page[:500]
        form = {"username": user, "password": password, "csrf_token": found[1] or found[2]}
        self.http.post(f"{url}/login/", data=form)
        told = self.http.get(f"{url}/api/v1/security/csrf_token/")
        assert told.ok, f"{user} could not log in: {told.status_code}"
        self.http.headers.update({"X-CSRFToken": told.json()["result"], "Referer": url})

    def get(self, path: str) -> Any:
        answer = self.http.get(f"{self.url}/api/v1/{path}")
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def send(self, method: str, path: str, body: Any) -> requests.Response:
        return self.http.request(method, f"{self.url}/api/v1/{path}", json=body)

    def named(self, kind: str, key: str) -> dict[str, Any]:
        """All of a kind by a key of theirs."""
        return {each[key]: each for each in self.get(f"{kind}/?q=(page_size:100)")["result"]}

    def ask(
        self, sql: str, schema: str = "analytics", database: str = "Dayslice", limit: int = 1000
    ) -> requests.Response:
        """Ask in SQL Lab."""
        number = self.named("database", "database_name")[database]["id"]
        body = {"database_id": number, "sql": sql, "schema": schema, "runAsync": False, "queryLimit": limit}
        return self.send("POST", "sqllab/execute/", {**body, "client_id": os.urandom(5).hex()})

    def rows(self, sql: str, **where: Any) -> list[dict[str, Any]]:
        """The same, where it must succeed."""
        answer = self.ask(sql, **where)
        assert answer.ok, answer.text[:1000]
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def chart(self, title: str) -> list[dict[str, Any]]:
        """What a chart shows now: from the cache, where it holds."""
        number = self.named("chart", "slice_name")[title]["id"]
        found: list[dict[str, Any]] = self.get(f"chart/{number}/data/")["result"]
        return found


def until(holds: Callable[[], bool], seconds: float = 20) -> float:
    """Wait for something to hold; how long that was."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not so within {seconds:.0f} s"
        time.sleep(0.2)
    return time.monotonic() - began

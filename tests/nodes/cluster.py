"""Airflow on several nodes: Celery over Redis, metadata in PostgreSQL, tasks on Trino, logs of tasks on S3."""

import base64
import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from dayslice.errors import Transient
from dayslice.orchestration.api import AirflowApi, health_of
from dayslice.orchestration.environment import program
from dayslice.services.private_file import write_private
from dayslice.services.service import Service, free_port, listening
from dayslice.services.stack.postgres import USER, MetastoreDatabase
from tests.airflow.running_airflow import until
from tests.nodes.network import Network
from tests.nodes.node import PLACE, Node, documented

# Two schedulers and two triggerers at once. Logs are not served: they are on S3.
HEAD = {
    "api-server": ["api-server"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
    "triggerer-2": ["triggerer", "--skip-serve-logs"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "scheduler-2": ["scheduler", "--skip-serve-logs"],
}
START_SECONDS = 400


@dataclass
class Broker:
    """The system's Redis or Valkey, with a password, on loopback; `DAYSLICE_BROKER` names the program."""

    directory: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @staticmethod
    def missing() -> str | None:
        """What a person has to install first."""
        return None if Broker.server() else "no Redis on the PATH (Debian: apt-get install redis-server)"

    @staticmethod
    def server() -> str | None:
        named = os.environ.get("DAYSLICE_BROKER")
        return shutil.which(named) if named else shutil.which("redis-server") or shutil.which("valkey-server")

    def start(self) -> None:
        self.directory.mkdir()
        settings = f"port {self.port}\nbind 127.0.0.1\nrequirepass {self.password}\nsave ''\ndir {self.directory}\n"
        write_private(self.directory / "redis.conf", settings)
        self.service().start()
        self.service().wait_until(lambda: listening(self.port), 30)

    def service(self) -> Service:
        command = [str(self.server()), str(self.directory / "redis.conf")]
        return Service("Redis", self.directory, lambda: command, self.port)


class PatientApi(AirflowApi):
    """Of a machine that may have more to do than it can: what changes nothing is asked again."""

    @retry(retry=retry_if_exception_type(Transient), stop=stop_after_attempt(10), wait=wait_fixed(2), reraise=True)
    def get(self, path: str, **query: Any) -> Any:
        return super().get(path, **query)


class Cluster:
    """`head` has web, two schedulers, two triggerers and dag-processor; `workers` a Celery worker each.

    `environment` is what tasks need, with loopback for this machine, and `ports` those of its services. `shared`: all
    nodes have one home, as on a file system that they share.
    """

    # What docs/nodes.md calls them: of every node, and of the head besides.
    files: Sequence[str] = ("node.env",)
    head_files: Sequence[str] = ("head.env",)
    metadata = "airflow"
    processes: Mapping[str, list[str]] = HEAD

    def __init__(
        self,
        folder: Path,
        root: Path,
        target: str,
        environment: Mapping[str, str],
        ports: list[int],
        network: Network,
        shared: Path | None = None,
    ):
        self.folder, self.root, self.target, self.network, self.shared = folder, root, target, network, shared
        self.environment = environment
        self.broker = Broker(folder / "redis")
        self.database = MetastoreDatabase(folder / "postgres", free_port())
        self.ports = [*ports, self.broker.port, self.database.port]
        self._make_nodes({name: network.namespace(name) for name in ("head", "worker1", "worker2")})

    def _make_nodes(self, places: Mapping[str, tuple[str, str]], head_home: Path | None = None) -> None:
        """The first is the head. `places`: the namespace and address of each."""
        host = self.network.host
        self.given = {name: value.replace("127.0.0.1", host) for name, value in self.environment.items()}
        self.password = secrets.token_urlsafe(18)
        [(head, place), *workers] = places.items()
        self.values = {
            "HEAD": place[1],
            "REDIS": f"{host}:{self.broker.port}",
            "REDIS_PASSWORD": self.broker.password,
            "POSTGRES": f"{host}:{self.database.port}",
            "POSTGRES_LOGIN": f"{USER}:{self.database.password()}",
            "BUCKET": "warehouse",
            "FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "SECRET_KEY": secrets.token_urlsafe(32),
            "JWT_SECRET": secrets.token_urlsafe(64),
        }
        self.addresses = ",".join([host, *(address for _, address in places.values())])
        self.head = self._node(head, *place, head_home, self.head_files)
        self.workers = [self._node(name, *place) for name, place in workers]
        self.url = f"http://{self.head.address}:{self.head.environment['AIRFLOW__API__PORT']}"

    def _node(
        self, name: str, namespace: str, address: str, home: Path | None = None, files: Sequence[str] = ()
    ) -> Node:
        """`home`: its DAYSLICE_HOME, where it is not its own."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        home = home or folder
        settings: dict[str, str] = {}
        for file in (*self.files, *files):
            settings |= documented(file, self.values)
        if files:
            passwords = folder / "passwords.json"
            write_private(passwords, json.dumps({"admin": self.password}))
            settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"] = str(passwords)
        settings = {each: value.replace(PLACE, str(home)) for each, value in settings.items()}
        Path(settings["AIRFLOW_HOME"]).mkdir(parents=True)
        settings["AIRFLOW__CORE__DAGS_FOLDER"] = str((self.shared or home) / "deployed" / self.target / "dags")
        quick = {
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "DAYSLICE_LOOK_EVERY": "2",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
            # Three of them are longer than a worker takes to start.
            "AIRFLOW__WORKERS__MISSING_DAG_RETRY_DELAY": "20",
            "AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG": "1000",
        }
        login = f"{self.values['POSTGRES_LOGIN']}@{self.values['POSTGRES']}"
        here = {
            "DAYSLICE_CONNECTION_ERP": f"postgresql://{login}/erp",
            "DAYSLICE_HOME": str(self.shared or home),
            "DAYSLICE_TARGET": self.target,
            "NO_PROXY": self.addresses,
            "no_proxy": self.addresses,
            "PATH": f"{program('airflow').parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": None,
        }
        return Node(name, folder, namespace, address, {**settings, **self.given, **quick, **here})

    def start(self) -> None:
        """All of it, and return when Airflow says that it is well and both workers are ready."""
        self.start_services()
        self.sql("postgres", f"create database {self.metadata}")
        self.head.run("airflow", "db", "migrate")
        self.make_pools(self.deploy()["pools"])
        for name, words in self.processes.items():
            self.head.start(name, *words)
        for worker in self.workers:
            self.start_worker(worker)
        until(self.is_well, START_SECONDS, 1.0)
        until(lambda: all(" ready." in each.log("celery") for each in self.workers), START_SECONDS, 1.0)

    def start_services(self) -> None:
        """What Airflow stands on, and the source."""
        self.broker.start()
        self.database.start()
        for port in self.ports:
            self.network.forward(port)
        self.sql("postgres", "create database erp")

    def stop(self) -> None:
        self.stop_airflow()
        self.database.service().stop()
        self.broker.service().stop()

    def stop_airflow(self) -> None:
        for node in (*self.workers, self.head):
            for name in ("celery", *self.processes):
                node.service(name).stop(5)

    def start_worker(self, node: Node) -> None:
        node.start("celery", "celery", "worker", "--skip-serve-logs", "--celery-hostname", node.name)

    def deploy(self) -> Any:
        """What an operator does: deploy, and copy it to the workers. What the command said."""
        said = json.loads(
            self.head.run("dayslice", "airflow", "deploy", "--target", self.target, "--json", cwd=self.root)
        )
        for worker in self.workers if self.shared is None else ():
            worker.copy_deployment(Path(str(self.head.environment["DAYSLICE_HOME"])), self.target)
        return said

    def make_pools(self, pools: Mapping[str, int]) -> None:
        file = self.folder / "pools.json"
        file.write_text(
            json.dumps({n: {"slots": s, "description": "", "include_deferred": False} for n, s in pools.items()})
        )
        self.head.run("airflow", "pools", "import", str(file))

    @cached_property
    def api(self) -> AirflowApi:
        return PatientApi(self.url, "admin", self.password)

    def is_well(self) -> bool:
        health = health_of(self.url) or {}
        parts = [health.get(name) or {} for name in ("scheduler", "triggerer", "dag_processor")]
        return all(part.get("status") == "healthy" for part in parts)

    def unpause(self, *dag_ids: str) -> None:
        """Let DAGs run, when Airflow knows them."""
        for dag_id in dag_ids:
            until(lambda: dag_id in {dag["dag_id"] for dag in self.api.get("dags", limit=1000)["dags"]}, 300, 1.0)  # noqa: B023
            self.api.patch(f"dags/{dag_id}", {"is_paused": False})

    def trigger(self, dag_id: str, ds: str, **conf: Any) -> str:
        self.unpause(dag_id)
        asked = {"logical_date": None, "conf": {"ds": ds, **conf}}
        return str(self.api.post(f"dags/{dag_id}/dagRuns", asked)["dag_run_id"])

    def ended(self, runs: Mapping[str, str], state: str = "success", seconds: float = 900) -> None:
        """Wait for all of these runs, by DAG; they end so."""
        until(lambda: all(self.state(*run) in ("success", "failed") for run in runs.items()), seconds, 1.0)
        assert {dag: self.state(dag, run) for dag, run in runs.items()} == dict.fromkeys(runs, state)

    def state(self, dag_id: str, run_id: str) -> str:
        return str(self.api.get(f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def tasks(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Each task's instance by its name."""
        found = self.api.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {each["task_id"]: each for each in found}

    def sql(self, database: str, *statements: str) -> list[tuple[Any, ...]]:
        """On the nodes' PostgreSQL; the rows of the last statement, if it has any."""
        connection = self.database.connection(database)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


class Staging(Cluster):
    """A second Airflow beside `production`: its head's processes on the same node and from the same home, a worker of
    its own.
    """

    files = ("node.env", "staging.env")
    head_files = ("head.env", "staging-head.env")
    metadata = "airflow_staging"
    processes: Mapping[str, list[str]] = {name: words for name, words in HEAD.items() if not name.endswith("-2")}

    def __init__(self, folder: Path, production: Cluster):
        self.folder, self.root, self.target = folder, production.root, "staging"
        self.network, self.shared, self.environment = production.network, None, production.environment
        self.broker, self.database = production.broker, production.database
        head = (production.head.namespace, production.head.address)
        places = {"staging-head": head, "staging-worker": self.network.namespace("staging-worker")}
        self._make_nodes(places, production.head.home)

    def start_services(self) -> None:
        """They run: production's."""

    def stop(self) -> None:
        self.stop_airflow()

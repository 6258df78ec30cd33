"""A worker of the stack's Trino: a process of its own beside the coordinator, with its own memory."""

import json
from pathlib import Path

from dayslice.services.service import Service, free_port, listening
from dayslice.services.stack.trino import Trino
from dayslice.services.stack.trino_node import command_of, write_exchange, write_node


class TrinoWorker:
    """The worker `number`, from 1. Nobody but the coordinator connects to it."""

    def __init__(self, directory: Path, number: int, coordinator: Trino):
        self.directory = directory.absolute()
        self.number = number
        self.coordinator = coordinator

    @property
    def _port_file(self) -> Path:
        return self.directory / "port.json"

    @property
    def port(self) -> int:
        """Its port, remembered: the coordinator's and its number, or another where somebody had that."""
        if self._port_file.exists():
            return int(json.loads(self._port_file.read_text()))
        return self.coordinator.port + self.number

    def service(self) -> Service:
        """The process, which may or may not run."""
        return Service(
            name=f"Trino worker {self.number}",
            directory=self.directory,
            command=lambda: command_of(self.directory, f"dayslice-{self.number}", self.coordinator.heap),
            port=self.port,
            environment=self.coordinator.environment(),
        )

    def prepared(self) -> Service:
        """The process, configured, for the coordinator to start it."""
        if self.service().process() is None:
            self._choose_port()
            write_node(
                self.directory,
                self.coordinator.heap,
                {
                    "coordinator": "false",
                    "http-server.http.port": str(self.port),
                    "discovery.uri": self.coordinator.url,
                    "catalog.config-dir": str(self.coordinator.directory / "etc" / "catalog"),
                },
            )
            write_exchange(self.directory, self.coordinator.store)
        return self.service()

    def _choose_port(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        port = free_port() if listening(self.port) else self.port
        self._port_file.write_text(json.dumps(port))

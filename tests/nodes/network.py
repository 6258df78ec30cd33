"""Nodes on one machine that share nothing but a wire: network namespaces on a bridge of their own (Linux, root).

What listens on this machine's loopback is reached from a node by the bridge's address, through `forward`.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass, field


def missing_for_namespaces() -> str | None:
    """Why nodes cannot have networks of their own here; None if they can."""
    if os.geteuid() or not shutil.which("ip"):
        return "network namespaces need root and iproute2 (Debian: apt-get install iproute2)"
    probe = f"ds-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "delete", probe], capture_output=True, check=False)
    return None if made.returncode == 0 else f"no network namespace can be made here: {made.stderr.strip()}"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass
class Network:
    """A bridge, with this machine as its first address."""

    number: int = field(default_factory=lambda: os.getpid() % 250 + 1)
    namespaces: list[str] = field(default_factory=list)
    listening: list[asyncio.Server] = field(default_factory=list)

    @property
    def bridge(self) -> str:
        return f"dsn{self.number}"

    @property
    def host(self) -> str:
        """This machine, as nodes see it."""
        return f"10.88.{self.number}.1"

    def __enter__(self) -> "Network":
        ip("link", "add", self.bridge, "type", "bridge")
        ip("address", "add", f"{self.host}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        # The next network has the same addresses.
        for server in self.listening:
            self.loop.call_soon_threadsafe(server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "delete", self.bridge], check=False, capture_output=True)

    def namespace(self, name: str) -> tuple[str, str]:
        """A new one on the bridge: its name and its address."""
        number = len(self.namespaces) + 2
        full, address, wire = f"ds{self.number}-{name}", f"10.88.{self.number}.{number}", f"dsv{self.number}x{number}"
        ip("netns", "add", full)
        self.namespaces.append(full)
        ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", full)
        ip("link", "set", wire, "master", self.bridge, "up")
        for words in (("address", "add", f"{address}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            ip("netns", "exec", full, "ip", *words)
        ip("netns", "exec", full, "ip", "link", "set", "lo", "up")
        return full, address

    def forward(self, port: int) -> None:
        """Let nodes reach a port of this machine's loopback."""
        asyncio.run_coroutine_threadsafe(self._listen(port), self.loop).result(10)

    async def _listen(self, port: int) -> None:
        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await reader.read(1 << 16):
                    writer.write(data)
                    await writer.drain()
            with contextlib.suppress(OSError):
                writer.close()

        async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                writer.close()
                return
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

        self.listening.append(await asyncio.start_server(join, self.host, port))

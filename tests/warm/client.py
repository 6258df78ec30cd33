"""Asks the server for a command and stands for it: its signals are passed on, its exit code is ours.

Started without site packages, in a few milliseconds; it knows the standard library only.
"""

import json
import os
import signal
import socket
import sys


def ask(path: str, program: str, arguments: list[str]) -> int:
    """Run a program on our own streams; its exit code. Where a signal ended it, die by one too."""
    umask = os.umask(0)
    os.umask(umask)
    told = {"folder": os.getcwd(), "environment": dict(os.environ), "umask": umask}  # noqa: PTH109
    request = json.dumps({**told, "program": program, "arguments": arguments}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [len(request).to_bytes(8)], [0, 1, 2])
        connection.sendall(request)
        pid = int.from_bytes(connection.recv(8))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: os.kill(pid, number))
        code = connection.recv(1)
        while connection.recv(1):
            pass  # closed when the process is no more
    if not code:
        os.kill(os.getpid(), signal.SIGKILL)
    return code[0]


if __name__ == "__main__":
    sys.exit(ask(sys.argv[1], sys.argv[2], sys.argv[3:]))

"""Small real services on loopback that alerts are sent to: a web hook and a mail server that asks for a login."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from dayslice.services.service import free_port

SECRET = "hunter2-s3cret"


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((self.path, said["title"], said["message"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *said):
        pass


@contextmanager
def web_hook():
    """Its Apprise address, with a secret in it, and what it heard: path, title, message."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.heard = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/services/{SECRET}", server.heard
    finally:
        server.shutdown()
        server.server_close()


class Lineage(BaseHTTPRequestHandler):
    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.hang.is_set():
            self.server.ended.wait(60)
            return
        self.server.heard.append(event)
        self.server.keys.append(self.headers.get("Authorization"))
        self.send_response(self.server.answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *said):
        pass


@contextmanager
def lineage_receiver():
    """An HTTP server that takes OpenLineage's events, as Marquez does: `url`, `heard`, the `keys` they came with.

    It answers `answer`, or nothing where `hang` is set.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lineage)
    server.heard, server.keys, server.answer = [], [], 201
    server.hang, server.ended = threading.Event(), threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()


def ended_runs(heard):
    """The events that end runs, by the job's name, the last of each; each had a start of the same run."""
    started = {event["run"]["runId"] for event in heard if event["eventType"] == "START"}
    ended = [event for event in heard if event["eventType"] == "COMPLETE"]
    assert {event["run"]["runId"] for event in ended} == started
    return {event["job"]["name"]: event for event in ended}


@contextmanager
def mail_server():
    """Its Apprise address, with a secret in it, and the mails that it took."""
    taken = []

    class Handler:
        async def handle_DATA(self, server, session, envelope):
            taken.append((envelope.rcpt_tos, envelope.content.decode()))
            return "250 OK"

    def login(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"ops", SECRET.encode()))

    port = free_port()
    controller = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=port,
        authenticator=login,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        to = "to=team@example.com&from=dayslice@example.com&mode=insecure&smtp=127.0.0.1"
        yield f"mailto://ops:{SECRET}@127.0.0.1:{port}/?{to}", taken
    finally:
        controller.stop()

"""Real servers to send to: for mail (aiosmtpd), for SMS and robots' words (HTTP), and one that hangs."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


class Mailbox:
    """`refuse`: the answer to each recipient instead of taking the mail."""

    def __init__(self):
        self.mails = []
        self.refuse = None

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - the library's name
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def mail_server(**options):
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()


@contextmanager
def http_server():
    """Takes POSTs; `.got` are (path, headers, JSON body); `.status` and `.answer` what it says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            server.got.append((self.path, dict(self.headers), json.loads(raw)))
            body = server.answer.encode()
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.got, server.status, server.answer = [], 200, '{"code":0}'
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        server.url = f"http://127.0.0.1:{server.server_port}/send"
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def silent_server():
    """Takes connections and says nothing; `.asked` is set at the first."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    listener.settimeout(0.05)
    asked, done, held = threading.Event(), threading.Event(), []

    def accept():
        while not done.is_set():
            try:
                held.append(listener.accept()[0])
                asked.set()
            except TimeoutError:
                continue

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        done.set()
        thread.join(5)
        for connection in [*held, listener]:
            connection.close()

"""What stands between a producer and its Logbook: it answers instead, cuts off, or hangs."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Answers instead of Logbook: status, headers, body. None: Logbook answers.
Answer = tuple[int, dict[str, str], bytes]


class Proxy:
    """Forwards requests to a Logbook. `instead` is asked before that, and `lose_answers` counts down."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.instead: Callable[[str, bytes], Answer | None] = lambda path, body: None
        # Told what Logbook answered, before the producer is.
        self.answered: Callable[[bytes], None] = lambda answer: None
        self.lose_answers = 0
        self.hang = threading.Event()
        self.hang.set()
        self.times: list[float] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                proxy.times.append(time.monotonic())
                proxy.hang.wait()
                status, headers, answer = proxy.instead(self.path, body) or proxy.forward(self.path, body, dict(self.headers))
                proxy.answered(answer)
                if proxy.lose_answers:
                    proxy.lose_answers -= 1
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Either side may be gone: that is what the tests are about."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def forward(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        request = urllib.request.Request(self.target + path, body, {**headers, "Connection": "close"})
        try:
            response: Any = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            response = error
        return response.status, {}, response.read()


@contextmanager
def proxy_to(target: str) -> Iterator[Proxy]:
    proxy = Proxy(target)
    thread = threading.Thread(target=proxy.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield proxy
    finally:
        proxy.hang.set()
        proxy.server.shutdown()
        thread.join()
        proxy.server.server_close()

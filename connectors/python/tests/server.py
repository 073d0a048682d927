"""A real Logbook server in a temporary folder, ended by its own process id, and sources of it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORKSPACE = "clinic"


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Asks until the condition returns something, and returns that. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Server:
    """A Logbook with an empty workspace. It keeps its address when it is started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = os.environ["LOGBOOK_BIN"]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LOGBOOK_")},
            "LOGBOOK_LISTEN": f"127.0.0.1:{self.port}",
            "LOGBOOK_DATA_DIR": str(folder),
            "LOGBOOK_DATABASE_URL": f"sqlite://{folder}/logbook.db",
            "LOGBOOK_AUDIT": "false",
            "LOGBOOK_RATE_KEY": "0",
            "LOGBOOK_RATE_USER": "0",
            "LOGBOOK_RATE_ADDRESS": "0",
        }
        self.command("workspace", "create", WORKSPACE)
        self.token = self.command("token", "--role", "admin", "--workspace", WORKSPACE)
        self.start()

    def command(self, *arguments: str) -> str:
        """Runs a command of Logbook and returns its last line."""
        done = subprocess.run([self.program, *arguments], env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return (done.stdout.strip().splitlines() or [""])[-1]

    def start(self) -> None:
        log = self.folder / "server.log"
        with log.open("w") as out:
            # A test may have limited the size of files, for itself.
            command = ["prlimit", "--fsize=unlimited", self.program, "serve"]
            self.process = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        wait_for("the server", self._is_ready)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, (self.folder / "server.log").read_text()
        try:
            return bool(urllib.request.urlopen(f"{self.url}/readyz", timeout=5).status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def api(self, path: str, body: object = None) -> Any:
        """A request to the workspace's API with an admin's token."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/workspaces/{WORKSPACE}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            return json.load(urllib.request.urlopen(request, timeout=30))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read()!r}") from None

    def new_source(self) -> Source:
        name = f"app-{secrets.token_hex(4)}"
        key = self.api("/sources", {"name": name, "kind": "api"})["key"]
        return Source(self, name, key)


class Source:
    """A source of its own for a test, and what has arrived from it."""

    def __init__(self, server: Server, name: str, key: str) -> None:
        self.server, self.name, self.key = server, name, key
        self.address: dict[str, Any] = {"url": server.url, "workspace": WORKSPACE, "source": name, "key": key}

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **{f"LOGBOOK_{name.upper()}": value for name, value in self.address.items()}}

    def state(self) -> Any:
        return self.server.api(f"/sources/{self.name}")

    def feed(self) -> list[dict[str, Any]]:
        """All its events, with the names that all logs share, in the order in which they were stored."""
        found, after, more = [], 0, True
        while more:
            page = self.server.api(f"/logs/feed?after={after}&limit=1000")
            found += [event for event in page["data"] if event["source"] == self.name]
            after, more = page["next_cursor"], page["has_more"]
        return found

    def log(self, name: str) -> Any:
        """Its events of one log, with the names of that log, in the order in which they happened."""
        return self.server.api(f"/logs/{name}?source={self.name}&order=asc&limit=1000")["data"]

    def rejected(self) -> Any:
        return self.server.api(f"/sources/{self.name}/rejected")["data"]


def ids_of(events: list[dict[str, Any]]) -> list[str]:
    """What the tests number their events by. Whether one is there twice shows in the list."""
    assert all("id" in event["target"] for event in events)
    return [event["target"]["id"] for event in events]

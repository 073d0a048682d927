"""The real servers that the tests talk to: Logbook and PostgreSQL, in a temporary folder, ended by their own process ids."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

POSTGRESQL = Path(os.environ.get("POSTGRESQL_BIN", "/usr/lib/postgresql/15/bin"))
WORKSPACE = "clinic"


def wait_for(what: str, condition, seconds: float = 60.0):
    """Asks until the condition returns something, and returns that. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class PostgreSQL:
    """A cluster of its own. It refuses to run as root, so root becomes `postgres`."""

    def __init__(self, folder: Path, fsync: str = "off") -> None:
        self.port = free_port()
        self.data = folder / "pg"
        self.data.mkdir()
        self.user = {}
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres", "postgres")
            # The sockets are in the folder itself.
            os.chmod(folder, 0o777)
            self.user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._run(
            "initdb", "--pgdata", str(self.data), "--auth", "trust", "--username", "app", "--no-sync", "--encoding", "UTF8", "--locale", "C"
        )
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync={fsync} -p {self.port}"
        self._run("pg_ctl", "--pgdata", str(self.data), "--wait", "--log", str(self.data / "log"), "--options", options, "start")
        self._run("createdb", "--host", str(folder), "--port", str(self.port), "--username", "app", "app")

    def stop(self) -> None:
        self._run("pg_ctl", "--pgdata", str(self.data), "--mode", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        # A file, since a server that goes on running would keep a pipe open.
        log = self.data.parent / f"{program}.log"
        with log.open("w") as out:
            done = subprocess.run([POSTGRESQL / program, *arguments], stdout=out, stderr=out, cwd="/", **self.user)
        assert done.returncode == 0, log.read_text()


class Logbook:
    """A Logbook server with an empty workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "logbook"
        self.folder.mkdir()
        self.program = os.environ["LOGBOOK_BIN"]
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("LOGBOOK_")},
            "LOGBOOK_DATA_DIR": str(self.folder),
            "LOGBOOK_DATABASE_URL": f"sqlite://{self.folder}/logbook.db",
            "LOGBOOK_AUDIT": "false",
            "LOGBOOK_RATE_KEY": "0",
            "LOGBOOK_RATE_USER": "0",
            "LOGBOOK_RATE_ADDRESS": "0",
        }
        self.process: subprocess.Popen | None = None
        self.url = ""
        # How far some test has read the feed.
        self.read_up_to = 0
        self.port = free_port()
        self.command("workspace", "create", WORKSPACE)
        self.token = self.command("token", "--role", "admin")
        self.start()

    def command(self, *arguments: str) -> str:
        """Runs a command of Logbook and returns its last line."""
        done = subprocess.run([self.program, *arguments], env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return (done.stdout.strip().splitlines() or [""])[-1]

    def start(self) -> None:
        log = self.folder / "server.log"
        with log.open("w") as out:
            environment = {**self.environment, "LOGBOOK_LISTEN": f"127.0.0.1:{self.port}"}
            self.process = subprocess.Popen([self.program, "serve"], env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        match = wait_for(
            "Logbook", lambda: self.process.poll() is not None or re.search(r"^Logbook listens on (\S+)", log.read_text(), re.MULTILINE)
        )
        assert match is not True, log.read_text()
        self.url = match.group(1)
        wait_for("Logbook to be ready", self._is_ready)

    def _is_ready(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/readyz", timeout=5).status == 200
        except OSError:
            return False

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def api(self, path: str, body: object = None, workspace: str = WORKSPACE) -> dict:
        """A request to a workspace's API with an admin's token."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/workspaces/{workspace}{path}",
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

    def __init__(self, logbook: Logbook, name: str, key: str) -> None:
        self.logbook, self.name, self.key = logbook, name, key
        # What was stored before it was there is not its own.
        self._after = logbook.read_up_to

    @property
    def settings(self) -> dict:
        return {"URL": self.logbook.url, "WORKSPACE": WORKSPACE, "SOURCE": self.name, "KEY": self.key}

    def state(self) -> dict:
        return self.logbook.api(f"/sources/{self.name}")

    def events(self) -> list[dict]:
        """All its events, with the names that all logs share, in the order in which they were stored."""
        found, after, more = [], self._after, True
        while more:
            page = self.logbook.api(f"/logs/feed?after={after}&limit=1000")
            found += [event for event in page["data"] if event["source"] == self.name]
            after, more = page["next_cursor"], page["has_more"]
        self.logbook.read_up_to = after
        return found

    def log(self, name: str) -> list[dict]:
        """Its events of one log, with the names of that log, in the order in which they happened."""
        return self.logbook.api(f"/logs/{name}?source={self.name}&order=asc&limit=1000")["data"]

    def rejected(self) -> list[dict]:
        return self.logbook.api(f"/sources/{self.name}/rejected")["data"]

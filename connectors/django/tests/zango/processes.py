"""The servers of the test: PostgreSQL, Redis, Logbook and those of a Zango project, on loopback and free ports, ended by their own ids."""

from __future__ import annotations

import glob
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Asks until the condition returns something, and returns that."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except OSError:
            found = None
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Process:
    """A program in the foreground, with its output in a file."""

    def __init__(self, name: str, argv: list[Any], folder: Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
        self.name, self.argv, self.cwd, self.env = name, [str(a) for a in argv], cwd, env
        self.log = folder / f"{name}.log"
        self.running: subprocess.Popen | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            # A session of its own: its children end with it.
            self.running = subprocess.Popen(
                self.argv, cwd=self.cwd, env=self.env, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def is_running(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def stop(self, sign: int = signal.SIGTERM) -> None:
        if self.running is None:
            return
        if sign == signal.SIGKILL:
            os.killpg(self.running.pid, sign)
        else:
            self.running.send_signal(sign)
        try:
            self.running.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
        self.running = None


class PostgreSQL:
    """A cluster of its own with the database "zango". It refuses to run as root, so root becomes `postgres`."""

    def __init__(self, folder: Path) -> None:
        self.bin = Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])
        self.port = free_port()
        self.data = folder / "postgresql"
        self.data.mkdir()
        self.user: dict[str, Any] = {}
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres", "postgres")
            self.user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "zango", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=60 -p {self.port}"
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o", options, "start")
        self._run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "zango", "zango")

    def _run(self, program: str, *arguments: Any) -> None:
        # A file, since a server that goes on running would keep a pipe open.
        log = self.data.parent / f"{program}.log"
        with log.open("w") as out:
            argv = [str(self.bin / program), *map(str, arguments)]
            done = subprocess.run(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd="/", **self.user)
        assert done.returncode == 0, log.read_text()

    def query(self, sql: str, *values: Any) -> list[tuple]:
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="zango", dbname="zango")
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


class Redis(Process):
    """Only in memory."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        argv = ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        super().__init__("redis", argv, folder)
        self.start()
        wait_for("Redis", lambda: socket.create_connection(("127.0.0.1", self.port), 1))


class Logbook(Process):
    """A server that can be killed and comes back on the same port."""

    def __init__(self, folder: Path, program: str) -> None:
        self.program, self.port = program, free_port()
        data = folder / "logbook"
        data.mkdir()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = (
            {name: value for name, value in os.environ.items() if not name.startswith("LOGBOOK_")}
            | {
                "LOGBOOK_DATA_DIR": str(data),
                "LOGBOOK_DATABASE_URL": f"sqlite://{data}/logbook.db",
                "LOGBOOK_LISTEN": f"127.0.0.1:{self.port}",
                "LOGBOOK_AUDIT": "false",
            }
            | {f"LOGBOOK_RATE_{name}": "0" for name in ("KEY", "USER", "ADDRESS")}
        )
        super().__init__("logbook", [program, "serve"], folder, env=environment)

    def start(self) -> None:
        super().start()
        wait_for("Logbook", lambda: urllib.request.urlopen(f"{self.url}/readyz", timeout=5).status == 200)

    def command(self, *arguments: str) -> str:
        """Runs a command of Logbook and returns its last line."""
        done = subprocess.run([self.program, *arguments], env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return (done.stdout.strip().splitlines() or [""])[-1]

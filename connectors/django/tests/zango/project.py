"""A Zango project as its command line makes it, its web server, its Celery worker, and the relay."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from clients import PASSWORD, Panel
from processes import PostgreSQL, Process, Redis, free_port, wait_for
from store import Store

NAME = "clinicproject"
ADMIN = "admin@panel.test"
BIN = Path(sys.executable).parent


class Project:
    """The project in a folder. Its programs are started one by one."""

    def __init__(self, folder: Path, postgresql: PostgreSQL, redis: Redis, store: Store) -> None:
        self.folder, self.root, self.postgresql = folder, folder / NAME, postgresql
        self.port = free_port()
        others = {"OTEL_SDK_DISABLED": "true", **store.environment}
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("LOGBOOK_")} | others
        self.run("zango", "start-project", NAME, *self._options(redis), cwd=folder)
        with (folder / ".env").open("a") as env:
            env.write(f"DEBUG=False\nENV=dev\nALLOWED_HOSTS=*\nFIELD_ENCRYPTION_KEY={self._fernet_key()}\nAXES_FAILURE_LIMIT=4\n")
        server = [BIN / "gunicorn", f"{NAME}.wsgi:application", "-w", "2", "-b", f"127.0.0.1:{self.port}", "--timeout", "600"]
        self.web = self._process("web", server)
        self.worker = self._process("worker", [BIN / "celery", "-A", NAME, "worker", "-c", "1", "-l", "info"])
        self.relay = self._process("relay", [BIN / "python", "manage.py", "logbook_relay"])

    def _options(self, redis: Redis) -> list[str]:
        options = {
            "db_name": "zango", "db_user": "zango", "db_password": "zango", "db_host": "127.0.0.1", "db_port": self.postgresql.port,
            "redis_host": "127.0.0.1", "redis_port": redis.port,
            "platform_username": ADMIN, "platform_user_password": PASSWORD, "platform_domain_url": "localhost",
        }  # fmt: skip
        return [word for name, value in options.items() for word in (f"--{name}", str(value))]

    def _fernet_key(self) -> str:
        from cryptography.fernet import Fernet

        return Fernet.generate_key().decode()

    def _process(self, name: str, argv: list) -> Process:
        return Process(name, argv, self.folder, cwd=self.root, env=self.env)

    def run(self, *argv: str, cwd: Path | None = None, env: dict | None = None, code: int = 0) -> str:
        """Runs a command in the project, which ends with this code, and returns what it printed."""
        options = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL}
        done = subprocess.run([str(a) for a in argv], cwd=cwd or self.root, env=self.env | (env or {}), **options)
        assert done.returncode == code, f"{' '.join(map(str, argv))}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        return done.stdout + done.stderr

    def start(self, *processes: Process) -> None:
        for process in processes:
            process.start()
        if self.web in processes:
            wait_for("the web server", lambda: socket.create_connection(("127.0.0.1", self.port), 1))

    def stop(self) -> None:
        for process in (self.relay, self.worker, self.web):
            process.stop()

    def launch(self, name: str) -> str:
        """Creates an app in the App Panel, as an admin does, and returns its id."""
        panel = Panel(self.port)
        panel.sign_in(ADMIN, PASSWORD)
        answer = panel.post("/api/v1/apps/", {"name": name, "description": "a clinic"}).json()["response"]
        asked = {"action": "get_app_creation_status", "task_id": answer["task_id"]}

        def deployed() -> bool:
            state = panel.get("/api/v1/apps/", asked).json()["response"]
            assert state.get("status") != "Failed", state
            return state.get("deployed", False)

        wait_for(f"the app {name}", deployed, 300)
        domains = json.dumps([{"domain": f"{name}.localhost", "is_primary": True}])
        panel.put(f"/api/v1/apps/{answer['app_uuid']}/", {"domains": domains})
        return answer["app_uuid"]

    def add_code(self, name: str) -> None:
        """The app's own code, and the tables of its models."""
        shutil.copytree(Path(__file__).parent / "app", self.root / "workspaces" / name, dirs_exist_ok=True)
        self.run("python", "manage.py", "ws_makemigration", name)
        self.run("python", "manage.py", "ws_migrate", name)

    def watch(self, schema: str) -> None:
        """Keeps all that is ever written to the outbox of a schema."""
        self.postgresql.query(WATCH.format(schema=schema))

    def watched(self, schema: str) -> list[str]:
        return [payload for (payload,) in self.postgresql.query(f'SELECT payload FROM "{schema}".watched')]

    def count(self, schema: str) -> int:
        """The events that wait in the outbox of a schema."""
        return self.postgresql.query(f'SELECT count(*) FROM "{schema}".logbook_outboxevent')[0][0]


WATCH = """
CREATE TABLE "{schema}".watched (payload text);
CREATE FUNCTION "{schema}".watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO "{schema}".watched VALUES (NEW.payload);
    RETURN NULL;
END $$;
CREATE TRIGGER watch AFTER INSERT ON "{schema}".logbook_outboxevent FOR EACH ROW EXECUTE FUNCTION "{schema}".watch();
"""

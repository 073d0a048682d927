"""The guide works as it is written: its blocks are run one after another, as a reader would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path

import pytest

from server import Source, free_port, wait_for

CHECKOUT = Path(__file__).parents[3]
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


# Nothing comes from a registry.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_QUIET": "1"}


def new_environment(folder: Path) -> Path:
    """A fresh virtual environment, whose `pip` is the one of the tests, which is faster than a copy. Returns its `bin`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    bin = folder / "bin"
    script(bin / "pip", f'exec {sys.executable} -m pip --python {bin}/python "$@"')
    return bin


def script(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def program(name: str) -> str:
    """Where a program is, however it was named."""
    return os.path.abspath(shutil.which(name) or name)


@pytest.fixture
def blocks(source: Source) -> list[tuple[str, str]]:
    text = (CHECKOUT / "docs/guides/fastapi.md").read_text()
    assert "http://127.0.0.1:8080" in text and "port 8000" in text
    port = str(free_port())
    text = text.replace("http://127.0.0.1:8080", source.server.url).replace("8000", port)
    return BLOCK.findall(text)


def test_the_guide_of_fastapi(source: Source, blocks: list[tuple[str, str]], tmp_path: Path) -> None:
    server = source.server
    folder = tmp_path / "app"
    folder.mkdir()
    (tmp_path / "logbook").symlink_to(CHECKOUT)
    bin = new_environment(tmp_path / "venv")
    (bin / "logbook").symlink_to(program(server.program))
    # FastAPI and uvicorn are there already, in the versions that the tests pin.
    (site,) = (tmp_path / "venv").glob("lib/*/site-packages")
    (site / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    script(bin / "uvicorn", f'exec {bin}/python -m uvicorn "$@"')
    environment = {**server.environment, **OFFLINE, "PATH": f"{bin}:{os.environ['PATH']}"}
    del environment["PYTHONPATH"]
    shell = [text for kind, text in blocks if kind == "sh"]
    app, tests = (text for kind, text in blocks if kind == "python")
    register, install, start, requests = shell
    (folder / "app.py").write_text(app)
    (folder / "test_app.py").write_text(tests)

    def run(command: str) -> str:
        done = subprocess.run(["bash", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(install)
    # Its variables are those of the other terminals too.
    environment |= dict(line.split("=", 1) for line in run(register + "env").splitlines() if line.startswith("LOGBOOK_"))
    run("python -m pytest -q")
    with subprocess.Popen(["bash", "-euc", "exec " + start], cwd=folder, env=environment) as process:
        port = re.search(r"--port (\d+)", start)[1]  # type: ignore[index]

        def is_up() -> bool:
            try:
                return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/health"))
            except OSError:
                return False

        wait_for("the app", is_up)
        assert '"dropped":0,"last_error":null' in run(requests)
        process.terminate()
    arrived = Source(server, "ward-app", "")
    failed, asha, ben = arrived.log("access")
    assert (failed["event_type"], failed["status"], failed["username"]) == ("login_failed", "failure", "asha")
    assert (asha["user"]["name"], asha["session_id"], asha["ip_address"]) == ("Asha Rao", "session-1", "127.0.0.1")
    assert ben["user_agent"].startswith("curl/")
    change, denied, agent = arrived.log("application")
    assert (change["actor"]["name"], change["role"], change["changes"][0]["old"], change["changes"][0]["new"]) == (
        "Asha Rao",
        "Nurse",
        "open",
        "closed",
    )
    assert (denied["status"], denied["actor"]["name"], denied["status_reason"]) == ("denied", "Ben Kim", "only nurses may change patients")
    assert (agent["actor"]["type"], agent["on_behalf_of"]["name"], agent["purpose"]) == ("agent", "Asha Rao", "INC-4711")
    correlations = {event["correlation_id"] for event in (failed, asha, ben, change, denied, agent)}
    assert len(correlations) == 6 and None not in correlations
    assert arrived.state()["gaps"] == []


def test_the_wheel_installs_offline_and_alone(source: Source, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(CHECKOUT / "connectors/python")]
    subprocess.run(build, env={**os.environ, **OFFLINE}, check=True)
    (wheel,) = tmp_path.glob("logbook_producer-*.whl")
    bin = new_environment(tmp_path / "venv")
    environment = {name: value for name, value in {**source.environment, **OFFLINE}.items() if name != "PYTHONPATH"}
    subprocess.run([bin / "pip", "install", wheel], env=environment, check=True)
    code = "from logbook_producer import Logbook, __file__; Logbook().access({'event_type': 'login'}); print(__file__)"
    done = subprocess.run([bin / "python", "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert str(tmp_path) in done.stdout
    assert (Path(done.stdout.strip()).parent / "py.typed").exists()
    assert len(source.feed()) == 1

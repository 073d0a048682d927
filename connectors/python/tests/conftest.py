"""One server for the whole run, and for each test a source of its own and a folder for its spool."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent.parent / "src"
sys.path.insert(0, str(SOURCES))
# For the processes that tests start.
os.environ["PYTHONPATH"] = str(SOURCES)

from server import Server, Source  # noqa: E402


def pytest_configure() -> None:
    for name in [name for name in os.environ if name.startswith("LOGBOOK_") and name != "LOGBOOK_BIN"]:
        del os.environ[name]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.kill()


@pytest.fixture
def source(server: Server) -> Source:
    # A test that failed may have left it killed.
    if server.process.poll() is not None:
        server.start()
    return server.new_source()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"

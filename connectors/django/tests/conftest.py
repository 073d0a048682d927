"""Servers for the whole run, and for each test a source of its own and an empty database."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import ClassVar

import django
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connections
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from servers import Logbook, PostgreSQL, Source

PROJECT = Path(__file__).parent / "project"
DATABASE = os.environ.setdefault("TEST_DATABASE", "sqlite")


class Servers:
    folder: Path
    postgresql: PostgreSQL | None = None
    logbook: Logbook | None = None
    figures: ClassVar[list[str]] = []


def pytest_configure(config: pytest.Config) -> None:
    """Django's settings need the database's address before a test module is imported."""
    try:
        _set_up()
    except BaseException:
        pytest_unconfigure(config)
        raise


def _set_up() -> None:
    Servers.folder = Path(tempfile.mkdtemp(prefix="logbook-django-"))
    os.environ["TEST_FOLDER"] = str(Servers.folder)
    (Servers.folder / "queue").mkdir()
    (Servers.folder / "control").mkdir()
    if DATABASE == "postgresql":
        Servers.postgresql = PostgreSQL(Servers.folder)
        os.environ["TEST_PGPORT"] = str(Servers.postgresql.port)
    Servers.logbook = Logbook(Servers.folder)
    for name in [name for name in os.environ if name.startswith("LOGBOOK_") and name != "LOGBOOK_BIN"]:
        del os.environ[name]
    sys.path.insert(0, str(PROJECT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)


def pytest_unconfigure(config: pytest.Config) -> None:
    connections.close_all()
    if Servers.logbook:
        Servers.logbook.stop()
    if Servers.postgresql:
        Servers.postgresql.stop()
    shutil.rmtree(Servers.folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in Servers.figures:
        terminalreporter.write_line(line)


@pytest.fixture
def figures() -> list[str]:
    """Lines that are shown at the end of the run."""
    return Servers.figures


@pytest.fixture
def logbook() -> Logbook:
    return Servers.logbook


@pytest.fixture(autouse=True)
def empty_database():
    """Nothing of another test is left. Not a transaction that is rolled back: what is committed matters here."""
    yield
    from logbook_django import bound

    call_command("flush", interactive=False, verbosity=0)
    bound._gauges.clear()


class Sender(Source):
    """A source that the app in this process is configured for."""

    def sent(self, log: str | None = None) -> list[dict]:
        """Sends what is in the outbox, and returns the events that Logbook has of this source: of all logs, or of one."""
        from logbook_django.relay import Relay

        relay = Relay()
        try:
            relay.drain()
        finally:
            relay.release()
        assert self.rejected() == []
        return self.log(log) if log else self.events()

    def configure(self, **settings):
        """A context manager in which these settings count as well."""
        return override_settings(LOGBOOK={**django_settings.LOGBOOK, **self.settings, **settings})


@pytest.fixture
def source(logbook: Logbook):
    """The source of the test. The app is configured to raise what goes wrong."""
    new = logbook.new_source()
    sender = Sender(logbook, new.name, new.key)
    with sender.configure(RAISE=True):
        yield sender


@pytest.fixture
def manage():
    """Starts manage.py in a process of its own; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen] = []

    def start(*arguments: str, settings: dict | None = None, program: list[str] | None = None, **options) -> subprocess.Popen:
        environment = {**os.environ, "TEST_LOGBOOK": json.dumps(settings or {}), "PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path])}
        command = program or [sys.executable, str(PROJECT / "manage.py")]
        process = subprocess.Popen([*command, *arguments], env=environment, cwd=PROJECT, stdin=subprocess.DEVNULL, text=True, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def user():
    import logbook_django
    from django.contrib.auth.models import User

    with logbook_django.muted():
        return User.objects.create_superuser("asha", "asha@example.org", "correct horse", first_name="Asha", last_name="Rao")


@pytest.fixture
def settings_without_logbook():
    """A project that says nothing about Logbook."""
    with override_settings(LOGBOOK={}):
        yield


@pytest.fixture
def django_queries():
    """A context manager that gives the queries of the default database."""
    return lambda: CaptureQueriesContext(connections["default"])


@pytest.fixture
def rf():
    """Makes requests that go nowhere."""
    return RequestFactory()

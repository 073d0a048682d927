"""docs/guides/django.md is true: its blocks are run, in order, beside the checkout."""

import http.cookiejar
import os
import re
import shlex
import subprocess
import sys
import urllib.parse
import urllib.request
import venv
from pathlib import Path

import django
import pytest
from servers import free_port, wait_for

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "guides" / "django.md"
PAGES = [GUIDE, ROOT / "docs" / "guides" / "zango.md", *(ROOT / "connectors").glob("*.md"), *(ROOT / "connectors" / "django").glob("*.md")]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(tmp_path, logbook):
    """The environment of the guide's reader: `logbook`, the checkout beside, and a `pip` that finds the packages of this run."""
    (tmp_path / "logbook").symlink_to(ROOT)
    made = tmp_path / "venv"
    venv.create(made)
    [packages] = made.glob("lib/python*/site-packages")
    paths = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "packages_of_this_run.pth").write_text("\n".join(paths))
    programs = tmp_path / "bin"
    programs.mkdir()
    scripts = {
        "pip": f'exec {shlex.quote(sys.executable)} -m pip --quiet --python {made}/bin/python "$@"',
        "logbook": f'exec {logbook.program} "$@"',
        "django-admin": f'exec {made}/bin/python -m django "$@"',
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    environment = {k: v for k, v in logbook.environment.items() if k not in ("PYTHONPATH", "DJANGO_SETTINGS_MODULE")}
    return {
        **environment,
        "PATH": f"{programs}:{made}/bin:{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        # Off: what builds our packages is one of them.
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def script_of(guide, url, port):
    """One script of all blocks: a Python block is added to the file that its first line names."""
    lines = ["set -e"]
    later = []
    for language, block in BLOCK.findall(guide):
        block = block.replace("http://127.0.0.1:8080", url)
        if language == "python":
            name = re.match(r"# (\S+\.py)\n", block).group(1)
            lines.append(f"cat >>{name} <<'END'\n{block}END")
        else:
            # The server starts when everything is written.
            later += [line for line in block.splitlines() if "runserver" in line]
            lines += [line for line in block.splitlines() if "runserver" not in line]
    assert later == ["python manage.py runserver"]
    return "\n".join([*lines, f"exec python manage.py runserver --noreload 127.0.0.1:{port}"])


class Browser:
    """Signs in to the admin and fills in forms."""

    def __init__(self, url):
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path):
        return self.opener.open(self.url + path, timeout=30).read().decode()

    def post(self, path, **fields):
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(path)).group(1)
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        return self.opener.open(urllib.request.Request(self.url + path, body), timeout=30).read().decode()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_installs_a_name_that_a_stranger_may_take(page):
    for command in re.findall(r"pip3? install[^\n`]*", page.read_text()):
        assert all(word.startswith("../logbook/connectors/") for word in command.split()[2:]), command


@pytest.mark.skipif(django.VERSION < (5, 1), reason="the guide's SQLite needs immediate transactions")
def test_the_guide_leads_from_nothing_to_the_first_events(shell, logbook, tmp_path):
    port = free_port()
    log = tmp_path / "log"
    folder = tmp_path / "app"
    folder.mkdir()
    script = script_of(GUIDE.read_text(), logbook.url, port)
    with log.open("w") as out:
        process = subprocess.Popen(["bash", "-c", script], cwd=folder, env=shell, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        wait_for("the app", lambda: process.poll() is not None or "Starting development server" in log.read_text(), 120)
        assert process.poll() is None, log.read_text()
        assert re.search(r"^logbook +answers$", log.read_text(), re.MULTILINE)
        browser = Browser(f"http://127.0.0.1:{port}")
        wait_for("the page", lambda: is_there(browser))
        page = browser.post("/admin/login/?next=/admin/", username="asha", password="try-it-out")
        assert "Site administration" in page
        assert browser.get("/report") == "sent"
        wait_for("the report", lambda: of("framework", logbook))
    finally:
        process.kill()
        process.wait()
        # What pytest shows when the test fails.
        print(log.read_text())
    [login] = of("access", logbook)
    assert (login["event_type"], login["username"], login["ip_address"]) == ("login", "asha", "127.0.0.1")
    [created] = of("application", logbook)
    assert (created["action"], created["model"], created["record_name"]) == ("create", "auth.user", "asha")
    [report] = of("framework", logbook)
    assert (report["action"], report["purpose"], report["actor"]["name"]) == ("report_sent", "INC-4711", "asha")
    assert "try-it-out" not in str([login, created, report])
    assert logbook.api("/sources/web", workspace="shop")["replay_days"] is None


def is_there(browser):
    try:
        return browser.get("/admin/login/")
    except OSError:
        return False


def of(log, logbook):
    return logbook.api(f"/logs/{log}?source=web&limit=100", workspace="shop")["data"]

"""Sets everything up, lets the story happen while Logbook is killed and cut off, and checks what arrived. The last line is the result."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import checks
import checks_access
import checks_application
import checks_framework
import checks_importer
import checks_sent
import guide
from chaos import Chaos
from importer import Follower, Imported
from processes import Logbook, PostgreSQL, Redis, wait_for
from proxy import Proxy
from read import Reader
from store import Store
from story import Story

from project import Project

# Importing them registers their checks.
CHECKED = (checks_sent, checks_access, checks_application, checks_framework, checks_importer)
BEGAN = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:5.1f} s] {text}", file=sys.stderr, flush=True)


def follow_guide(project: Project, logbook: Logbook, proxy: Proxy) -> None:
    """The blocks of the guide, as they are written."""
    blocks = guide.blocks(f"http://127.0.0.1:{proxy.port}")
    assert set(blocks) == {"logbook", "settings", "manage"}, set(blocks)
    programs = project.folder / "bin"
    programs.mkdir()
    (programs / "logbook").symlink_to(logbook.program)
    path = {"PATH": f"{programs}:{logbook.env['PATH']}"}
    subprocess.run(["bash", "-euo", "pipefail", "-c", blocks["logbook"]], cwd=project.folder, env=logbook.env | path, check=True)
    with (project.root / project.root.name / "settings.py").open("a") as settings:
        settings.write("\n" + blocks["settings"])
    project.run("bash", "-euo", "pipefail", "-c", blocks["manage"])
    unconfigured = project.run("python", "manage.py", "check", env={"LOGBOOK_URL": ""})
    assert "Logbook is not configured, so nothing is recorded" in unconfigured, unconfigured


def tell(story: Story, project: Project, chaos: Chaos) -> None:
    story.in_the_panel()
    story.refused()
    say("the admin has set the app up")
    story.in_the_app()
    say("people have worked in the app")
    story.other_code()
    story.new_app("waiting")
    story.releases()
    say("apps are created and released")
    story.tasks_end()
    story.the_panel_is_left()
    say(f"the story is told, during {chaos.end()}")
    for schema in ("peerapp", "public"):
        wait_for(f"the outbox of {schema} to be empty", lambda schema=schema: project.count(schema) == 0, 180)
    wait_for("the relay to find the new app", lambda: " waiting: " in project.relay.log.read_text())
    say("all events are sent")


def main() -> int:
    # Ended from outside, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="logbook-zango-"))
    folder.chmod(0o755)
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    say(f"in {folder}, SEED={seed}")
    ends, failed = [], False
    try:
        postgresql = PostgreSQL(folder)
        ends.append(postgresql.stop)
        redis = Redis(folder)
        ends.append(redis.stop)
        logbook = Logbook(folder, sys.argv[1])
        ends.append(logbook.stop)
        logbook.start()
        proxy = Proxy(logbook.port)
        store = Store(folder)
        ends.append(store.stop)
        project = Project(folder, postgresql, redis, store)
        ends.append(project.stop)
        project.start(project.web, project.worker)
        app_uuid = project.launch("peerapp")
        project.add_code("peerapp")
        project.stop()
        say("a Zango project runs")
        before = checks.Before.of(postgresql)
        follow_guide(project, logbook, proxy)
        for schema in checks.SOURCES:
            project.watch(schema)
        project.start(project.web, project.worker, project.relay)
        say("Logbook is installed as the guide says")
        reader = Reader(logbook)
        follower = Follower(folder, logbook, postgresql)
        ends.append(follower.stop)
        follower.start()
        follower.wait(reader)
        say("the importer follows")
        story = Story(project, app_uuid)
        chaos = Chaos(logbook, project.relay, follower, proxy, seed)
        chaos.start()
        ends.append(chaos.end)
        tell(story, project, chaos)
        follower.wait(reader)
        follower.end()
        say("the importer has read the same app")
        failed = checks.run(checks.Evidence(reader, project, story.facts, before, Imported(reader)))
    except BaseException:
        traceback.print_exc()
        failed = True
    finally:
        for end in reversed(ends):
            end()
    if failed or os.environ.get("ZANGO_KEEP"):
        say(f"the logs of all programs are in {folder}")
    else:
        shutil.rmtree(folder)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""Nothing is lost and nothing is there twice."""

from __future__ import annotations

import json
import re

from checks import SOURCES, Evidence, check


@check
def every_number_once(e: Evidence) -> None:
    """the numbers of each source are 1, 2, 3 … as far as its outbox has counted, each once and in order"""
    for schema, workspace in SOURCES.items():
        epoch, sequence, sent = e.query(f"SELECT epoch, sequence, sent FROM {schema}.logbook_outboxstate")[0]
        events = e.reader.events(workspace)
        assert [(event["epoch"], event["sequence"]) for event in events] == [(epoch, n) for n in range(1, sequence + 1)], workspace
        assert sent == sequence, (workspace, sent, sequence)


@check
def no_gaps(e: Evidence) -> None:
    """Logbook knows of no gap and of no record that it could not read"""
    for workspace in SOURCES.values():
        source = e.reader.source(workspace)
        assert (source["gaps"], source["rejected"]) == ([], 0), source
        assert source["events"] == len(e.reader.events(workspace)), source


@check
def sent_again(e: Evidence) -> None:
    """an outbox may be sent again at any time: Logbook keeps the dedupe keys for ever"""
    assert [e.reader.source(workspace)["replay_days"] for workspace in SOURCES.values()] == [None, None]


@check
def every_row_of_the_audit_log(e: Evidence) -> None:
    """every row of Zango's audit log is one event"""
    rows = [row for (row,) in e.query(f"SELECT id FROM peerapp.auditlogs_logentry WHERE id > {e.before.entry} ORDER BY id")]
    assert sorted(event["metadata"]["zango"]["id"] for event in e.rows("auditlogs_logentry")) == rows and len(rows) > 40


@check
def every_row_of_the_access_log(e: Evidence) -> None:
    """every row of Zango's access log is one event, and every session that ended another"""
    table = "accesslogs_appaccesslog"
    ended = "is_login_successful AND session_expired_at IS NOT NULL"
    rows = e.query(f"SELECT id, {ended} FROM peerapp.{table} WHERE id > {e.before.attempt} ORDER BY id")
    tried = [event["metadata"]["zango"]["id"] for event in e.rows(table) if event["action"] in ("login", "login_failed", "role_switched")]
    ended = [event["metadata"]["zango"]["id"] for event in e.rows(table) if event["action"] in ("logout", "session_expired")]
    assert sorted(tried) == [row for row, _ in rows]
    assert sorted(ended) == [row for row, has_ended in rows if has_ended]


@check
def rolled_back(e: Evidence) -> None:
    """what was rolled back was never sent, also to a savepoint"""
    names = {event["target"]["name"] for event in e.app if event["target"]}
    assert not any(name and name.startswith("rolled back") for name in names), names
    assert "kept after a savepoint" in names


@check
def hooks(e: Evidence) -> None:
    """every hook point is there, and no event failed to be recorded"""
    for process in (e.project.web, e.project.worker, e.project.relay):
        log = process.log.read_text()
        for bad in ("not recorded", "could not record", "cannot hook"):
            assert bad not in log, (process.name, [line for line in log.splitlines() if bad in line][:3])


def in_project(e: Evidence, code: str, **env: str) -> str:
    """What Python code prints in the project, before and after Django is set up."""
    return e.project.run("python", "-c", code, env={"DJANGO_SETTINGS_MODULE": f"{e.project.root.name}.settings", **env})


@check
def a_missing_hook_point(e: Evidence) -> None:
    """an app starts on a Zango that lacks a hook point, with a warning that names it"""
    said = in_project(e, "import django, zango.core.package_utils as utils; del utils.install_package; django.setup(); print('it starts')")
    assert "it starts" in said and "has no zango.core.package_utils.install_package: installed packages are not recorded" in said, said


def with_settings(zango: dict, code: str) -> str:
    return f"""
import django, json
from django.conf import settings
django.setup()
settings.LOGBOOK["ZANGO"] = {zango!r}
from logbook_django import conf
conf.reset()
{code}
"""


@check
def a_wrong_setting(e: Evidence) -> None:
    """manage.py check names what is wrong in the settings"""
    wrong = {"PLATFORM": {"WORKSPACE": "platform", "SORCE": "zango"}, "APPS": {}}
    said = in_project(e, with_settings(wrong, "from logbook_django.zango.checks import check_settings; print(check_settings())"))
    for expected in ("there is no setting 'APPS'", "PLATFORM has no 'SORCE'", "PLATFORM has no SOURCE"):
        assert expected in said, said


OUTBOXES = """
from logbook_django.zango import outboxes
names = ("URL", "WORKSPACE", "SOURCE", "KEY")
print("FOUND", json.dumps({outbox.name: [outbox.settings[name] for name in names] for outbox in outboxes()}))
"""


@check
def destinations(e: Evidence) -> None:
    """an app is sent where its own entry says, else where the common one does; a function that fails for one app costs no other"""
    key = e.project.folder / "key"
    key.write_text("from-a-file\n")
    zango = {
        "PLATFORM": {"WORKSPACE": "panel", "SOURCE": "zango", "KEY_FILE": str(key), "URL": "http://other/"},
        "TENANTS": {"peerapp": {"WORKSPACE": "own", "SOURCE": "zango", "KEY": "own-{key}"}},
        "TENANT": {"WORKSPACE": "all-{slug}", "SOURCE": "zango-{schema}", "KEY_ENV": "KEY_OF_{TENANT}"},
    }

    def found(entries: dict) -> dict:
        said = in_project(e, with_settings(entries, OUTBOXES), KEY_OF_WAITING="from-the-environment")
        return json.loads(next(line for line in said.splitlines() if line.startswith("FOUND ")).removeprefix("FOUND "))

    outboxes = found(zango)
    assert outboxes["public"] == ["http://other", "panel", "zango", "from-a-file"], outboxes
    assert outboxes["peerapp"][1:] == ["own", "zango", "own-{key}"], outboxes
    assert outboxes["waiting"][1:] == ["all-waiting", "zango-waiting", "from-the-environment"], outboxes
    # No path is an app.
    broken = found({**zango, "TENANT": "os.path.isabs"})
    assert broken.keys() == {"public", "peerapp"}, broken


@check
def the_app_without_a_key(e: Evidence) -> None:
    """an app whose key is missing keeps its events, and the relay says so and serves the others"""
    assert e.project.count("waiting") > 0
    log = e.project.relay.log.read_text()
    assert re.search(r"ERROR logbook: waiting: (not configured|the configuration is wrong)", log), log[-2000:]
    lines = e.project.run("python", "manage.py", "logbook_status", "--json", code=1).splitlines()
    told = {status["name"]: status for status in (json.loads(line) for line in lines if line.startswith("{"))}
    assert {name: status["logbook"] == "answers" for name, status in told.items()} == {"peerapp": True, "public": True, "waiting": False}
    assert told["waiting"]["rows"] == e.project.count("waiting") and told["peerapp"]["rows"] == 0, told

"""What people do in the App Panel and in the app while Logbook is killed and cut off."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from clients import PASSWORD, App, Panel
from processes import wait_for

from project import ADMIN, Project

NEW_PASSWORD = "N3w@Passw0rd"
LIMITED, LIMITED_PASSWORD = "lim@panel.test", "Peer@12345pw"


@dataclass
class Facts:
    """The ids of what was made."""

    app: str
    admin: int = 0
    roles: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    patient: int = 0
    visit: int = 0
    other: int = 0
    bulk: dict[str, int] = field(default_factory=dict)


class Story:
    """The deeds, in order. Each asserts that Zango did what it was asked, since a deed that did not happen proves nothing."""

    def __init__(self, project: Project, app_uuid: str) -> None:
        self.project, self.facts = project, Facts(app_uuid)
        self.panel = Panel(project.port)
        self.api = f"/api/v1/apps/{app_uuid}"
        self.policies = project.root / "workspaces/peerapp/clinic/policies.json"

    def _id(self, table: str, column: str, value: str) -> int:
        return self.project.postgresql.query(f"SELECT id FROM {table} WHERE {column} = %s", value)[0][0]

    def _unlock(self, schema: str) -> None:
        """axes counts by address, and everybody here has the same."""
        self.project.postgresql.query(f'DELETE FROM "{schema}".axes_accessattempt')

    def _ok(self, answer: Any, status: int = 200) -> Any:
        assert answer.status_code == status, (answer.request.method, answer.request.url, answer.status_code, answer.text[:500])
        return answer

    def in_the_panel(self) -> None:
        """An admin fails to sign in, signs in, and sets the app up."""
        assert not self.panel.sign_in("nobody@panel.test", PASSWORD)
        assert not self.panel.sign_in(ADMIN, "wrong")
        assert self.panel.sign_in(ADMIN, PASSWORD)
        self.facts.admin = self._id("public.platformauth_platformusermodel", "email", ADMIN)
        self._ok(self.panel.put(f"{self.api}/", {"timezone": "Asia/Kolkata"}))
        for name in ("Nurse", "Doctor"):
            self._ok(self.panel.post(f"{self.api}/roles/", {"name": name, "is_active": True}))
            self.facts.roles[name] = self._id("peerapp.appauth_userrolemodel", "name", name)
        self._sync_policies()
        self._ok(self.panel.post(f"{self.api}/tasks/?action=sync_tasks"))
        roles = self.facts.roles
        people = (("Asha Rao", "asha@clinic.test", list(roles.values())), ("Bela Kim", "bela@clinic.test", [roles["Doctor"]]))
        for name, email, own in people:
            user = {"name": name, "email": email, "mobile": "", "password": PASSWORD, "roles": own}
            self._ok(self.panel.post(f"{self.api}/users/", user))
            self.facts.users[email] = self._id("peerapp.appauth_appusermodel", "email", email)
        self._ok(self.panel.post(f"{self.api}/secrets/", {"key": "Apikey", "value": "s3cr3t", "is_active": True}))
        expected = (("lab", "Package Installed"), ("crud", "Package could not be installed"), ("lab", "Package already installed"))
        for package, message in expected:
            answer = self._ok(self.panel.post(f"{self.api}/packages/", {"name": package, "version": "1.0.0"})).json()
            assert answer["response"]["message"].startswith(message), answer
        limited = {"name": "Lim", "email": LIMITED, "mobile": "", "password": LIMITED_PASSWORD, "is_superadmin": "false", "apps": []}
        self._ok(self.panel.post("/api/v1/auth/platform-users/", limited))

    def refused(self) -> None:
        """What an admin asks for and does not get; and an admin who may not see the app."""
        self._ok(self.panel.post(f"{self.api}/roles/", {"name": "Nurse", "is_active": True}), 400)
        self._ok(self.panel.put(f"{self.api}/users/4711/", {"name": "Nobody"}), 500)
        limited = self._id("public.platformauth_platformusermodel", "email", LIMITED)
        self._ok(self.panel.put(f"/api/v1/auth/platform-users/{limited}/", {"is_active": "true"}))
        panel = Panel(self.project.port)
        assert panel.sign_in(LIMITED, LIMITED_PASSWORD)
        self._ok(panel.put(f"{self.api}/roles/{self.facts.roles['Nurse']}/", {"name": "Mine"}), 403)

    def _sync_policies(self) -> None:
        good = self.policies.read_text()
        self.policies.write_text("{ this is no JSON")
        self._ok(self.panel.post(f"{self.api}/policies/?action=sync_policies"), 500)
        self.policies.write_text(good)
        self._ok(self.panel.post(f"{self.api}/policies/?action=sync_policies"))
        policies = [self._id("peerapp.permissions_policymodel", "name", name) for name in ("AllowFromAnywhere", "ClinicAccess")]
        for role in self.facts.roles.values():
            self._ok(self.panel.put(f"{self.api}/roles/{role}/", {"policies": policies}))

    def in_the_app(self) -> None:
        """People fail to come in, come in, switch their roles, and work."""
        port = self.project.port
        self._ok(App(port, "peerapp").sign_in("nobody@clinic.test", "x"), 400)
        self._ok(App(port, "peerapp").sign_in("asha@clinic.test", "wrong"), 400)
        code = App(port, "peerapp").request("POST", "/api/v1/appauth/login/code/request/", json={"email": "asha@clinic.test"})
        self._ok(code, 400)
        asha = App(port, "peerapp")
        self._ok(asha.sign_in("asha@clinic.test", PASSWORD), 401)
        self._ok(asha.choose(self.facts.roles["Nurse"]), 401)
        self._ok(asha.set_password(NEW_PASSWORD))
        self._work(asha)
        self._switch(asha)
        self._ok(asha.do("delete", id=self.facts.patient))
        self._ok(asha.do("broken"), 500)
        self._ok(asha.do("unprintable"), 500)
        self._sessions(asha)
        self._lock_out()
        self._ok(App(port, "peerapp").get("/logout/"), 302)

    def _work(self, asha: App) -> None:
        made = self._ok(asha.do("create", "request-1", name="李雷")).json()
        self.facts.patient, self.facts.visit = made["patient"], made["visit"]
        self._ok(asha.do("update", "request-2", id=self.facts.patient))
        self.facts.other = self._ok(asha.do("create", name="Meera Pillai")).json()["patient"]
        self._ok(asha.do("wards", "request-3", id=self.facts.other))
        self.facts.bulk = self._ok(asha.do("bulk", "request-4")).json()
        self._ok(asha.do("draft"))
        self._ok(asha.do("savepoint"))
        self._ok(asha.do("own", "request-7"))
        self._ok(asha.do("task", "request-5", id=self.facts.other))
        self._ok(asha.do("failing", "request-6"))

    def _switch(self, asha: App) -> None:
        everybody = self._id("peerapp.appauth_userrolemodel", "name", "AnonymousUsers")
        self._ok(asha.switch(self.facts.roles["Doctor"]))
        # Zango lets people take a role that they do not have.
        self._ok(asha.switch(everybody))
        self._ok(asha.switch(self.facts.roles["Doctor"]))
        self._ok(asha.switch(999_999), 400)

    def _sessions(self, first: App) -> None:
        """The second session is idle for too long; the first one is ended by its user, and Zango takes it for the other."""
        second = App(self.project.port, "peerapp")
        self._ok(second.sign_in("asha@clinic.test", NEW_PASSWORD), 401)
        self._ok(second.choose(self.facts.roles["Doctor"]))
        self._ok(first.sign_out(), 401)
        self.project.run("python", "manage.py", "shell", "-c", IDLE, env={"SESSION": second.cookies["zangocookie"]})
        second.get("/api/v1/appauth/sessions/")

    def _lock_out(self) -> None:
        self._unlock("peerapp")
        for status in (400, 400, 400, 403, 403):
            self._ok(App(self.project.port, "peerapp").sign_in("bela@clinic.test", "wrong"), status)
        self._unlock("peerapp")

    def other_code(self) -> None:
        """Code of somebody else writes rows of the access log: a later version of Zango may."""
        self.project.run("python", "manage.py", "shell", "-c", ROWS)

    def tasks_end(self) -> None:
        """The worker has done both tasks."""
        done = "SELECT count(*) FROM {}.django_celery_results_taskresult WHERE task_name LIKE '%zango_task_executor'"
        query = self.project.postgresql.query
        wait_for("both tasks", lambda: sum(query(done.format(schema))[0][0] for schema in ("public", "peerapp")) == 2)

    def releases(self) -> None:
        """The app is updated from the command line: once it works, once a policy file is broken."""
        self.project.run("zango", "update-apps", "--app_name", "peerapp")
        settings = self.project.root / "workspaces/peerapp/settings.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "version": "1.1.0"}))
        good = self.policies.read_text()
        self.policies.write_text("{ this is no JSON")
        assert "An error occurred" in self.project.run("zango", "update-apps", "--app_name", "peerapp")
        self.policies.write_text(good)

    def the_panel_is_left(self) -> None:
        """The admin signs out, and somebody tries to guess the password until the address is locked."""
        self.panel.sign_out()
        self._unlock("public")
        guesser = Panel(self.project.port)
        for _ in range(5):
            assert not guesser.sign_in(ADMIN, "guess")
        self._unlock("public")

    def new_app(self, name: str) -> None:
        """Another app, which has no key for Logbook."""
        self.project.launch(name)


ROWS = """
from datetime import timedelta
from django.utils import timezone
from django_tenants.utils import schema_context
from zango.apps.accesslogs.models import AppAccessLog
from zango.apps.appauth.models import AppUserModel, UserRoleModel
with schema_context("peerapp"):
    asha, nurse = AppUserModel.objects.get(name="Asha Rao"), UserRoleModel.objects.get(name="Nurse")
    common = {"user": asha, "username": asha.email, "ip_address": "198.51.100.4", "user_agent": "other", "attempt_time": timezone.now()}
    AppAccessLog.objects.create(attempt_type="switch_role", is_login_successful=True, role=nurse, **common)
    AppAccessLog.objects.create(attempt_type="switch_role", is_login_successful=False, **common)
    row = AppAccessLog.objects.create(attempt_type="login", is_login_successful=True, **common)
    row.session_expired_at = timezone.now() + timedelta(seconds=1)
    row.save()
    row.save()
"""

# Puts the last activity of a session an hour back.
IDLE = """
import os
from django.contrib.sessions.backends.db import SessionStore
session = SessionStore(os.environ["SESSION"])
session["_session_security"] = "2020-01-01T00:00:00.000000"
session.save()
"""

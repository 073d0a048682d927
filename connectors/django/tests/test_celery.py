"""Celery: a task acts for whoever enqueued it, and a failed one is told."""

import sys

import logbook_django as logbook
import pytest
from clinic.tasks import app, fail, tell
from django.test import Client
from servers import wait_for


@pytest.fixture
def eager():
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def worker(source, manage):
    process = manage(
        *("-A", "clinic.tasks", "worker", "--pool", "solo", "--loglevel", "ERROR", "--without-gossip", "--without-mingle"),
        program=[sys.executable, "-m", "celery"],
        settings={**source.settings, "CELERY_SUCCESS": True},
    )
    yield process
    process.terminate()
    process.wait(30)


def sign_in(user):
    client = Client()
    with logbook.muted():
        client.force_login(user)
    return client


def test_a_task_in_a_worker_acts_for_whoever_enqueued_it(source, user, worker):
    sign_in(user).get("/enqueue", {"name": "Li Lei"}, headers={"X-Correlation-ID": "abc-1"})
    wait_for("the task", lambda: [e for e in source.sent() if e["action"] == "task_succeeded"], 120)
    [created] = source.log("application")
    [succeeded] = source.log("framework")
    for event in (created, succeeded):
        assert (event["actor"]["type"], event["actor"]["id"]) == ("service", "clinic.tasks.admit")
        assert (event["on_behalf_of"]["name"], event["correlation_id"]) == ("Asha Rao", "abc-1")
    assert succeeded["component"]["id"] == "clinic.tasks.admit"


def test_a_failed_task_in_a_worker_is_told_without_its_arguments(source, worker):
    result = fail.delay("hunter2")
    failed = wait_for("the task", lambda: [e for e in source.sent("framework") if e["action"] == "task_failed"], 120)[0]
    assert failed["status"] == "failure"
    assert failed["error"].startswith("RuntimeError: the lab does not answer")
    assert "Traceback" in failed["error"] or "tasks.py" in failed["error"]
    assert failed["metadata"]["task_id"] == failed["correlation_id"] == result.id
    assert "hunter2" not in str(failed)


def test_an_eager_task(source, user, eager):
    sign_in(user).get("/enqueue", {"name": "Li Lei"}, headers={"X-Correlation-ID": "abc-1"})
    [created] = source.sent("application")
    assert (created["actor"]["id"], created["on_behalf_of"]["name"], created["correlation_id"]) == (
        "clinic.tasks.admit",
        "Asha Rao",
        "abc-1",
    )
    assert logbook.current().actor is None


def test_a_task_inside_acting(source, user, eager):
    with logbook.acting(actor=user, purpose="INC-4711"):
        tell.delay()
    [event] = source.sent()
    assert (event["actor"]["type"], event["on_behalf_of"]["name"], event["purpose"]) == ("service", "Asha Rao", "INC-4711")

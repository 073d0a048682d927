"""The proof: requests to a real server, some rolled back, while the relay is killed again and again."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from clinic.models import Patient, Work
from logbook_django.models import OutboxEvent
from servers import free_port, wait_for

REQUESTS = int(os.environ.get("TEST_REQUESTS", 2000))
KILLS = int(os.environ.get("TEST_KILLS", 20))
CLIENTS = 4


@pytest.fixture
def server(source, manage):
    """The address of the app on gunicorn, with two processes of four threads."""
    port = free_port()
    manage(
        *("--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4", "--log-level", "critical", "wsgi:application"),
        program=[sys.executable, "-m", "gunicorn"],
        settings={**source.settings, "MODELS": ["clinic.Work", "clinic.Patient"]},
    )
    url = f"http://127.0.0.1:{port}"
    wait_for("the app", lambda: answers(url))
    return url


def answers(url):
    try:
        urllib.request.urlopen(url + "/", timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def ask(url, keys):
    """Sends one request for each key; a third of them is to be rolled back."""
    for key in keys:
        end = "roll back" if random.random() < 0.3 else "commit"
        request = urllib.request.Request(f"{url}/work?key={key}&end={end.replace(' ', '+')}", headers={"X-Correlation-ID": key})
        try:
            urllib.request.urlopen(request, timeout=120).read()
        except urllib.error.HTTPError as error:
            assert error.code == 500


class Deadly(ThreadingHTTPServer):
    """A way to Logbook that kills the relay when Logbook has stored a batch, before the relay knows."""

    def __init__(self, url):
        super().__init__(("127.0.0.1", 0), Deadly.Handler)
        self.logbook, self.relay = url, None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name: self.headers[name] for name in ("Authorization", "Content-Type", "Content-Encoding") if name in self.headers}
            urllib.request.urlopen(urllib.request.Request(self.server.logbook + self.path, body, headers), timeout=60).read()
            if self.path.endswith("/events"):
                self.server.relay.kill()
            else:
                self.send_response(204)
                self.end_headers()

        def log_message(self, *_):
            pass


def kill_after_a_batch(manage, settings):
    """Kills a relay that has sent a batch and has not deleted it."""
    with Deadly(settings["URL"]) as way:
        way.relay = manage("logbook_relay", settings={**settings, "URL": way.url}, stderr=subprocess.DEVNULL)
        assert way.relay.wait(60) == -signal.SIGKILL
        way.shutdown()


def kill_relays(manage, settings, busy):
    """Starts relays and kills each a moment later, until that was done KILLS times and the clients are done."""
    kill_after_a_batch(manage, settings)
    killed = 1
    while killed < KILLS or busy():
        relay = manage("logbook_relay", settings=settings, stderr=subprocess.PIPE)
        # Starting is not what is to be cut off.
        assert any("the relay works" in line for line in relay.stderr)
        time.sleep(random.uniform(0.0, 0.5))
        relay.kill()
        relay.wait()
        relay.stderr.close()
        killed += 1
    return killed


def test_what_was_committed_is_in_logbook_once_and_nothing_else(source, server, manage, figures):
    keys = [f"work-{number}" for number in range(REQUESTS)]
    clients = [threading.Thread(target=ask, args=(server, keys[n::CLIENTS])) for n in range(CLIENTS)]
    began = time.monotonic()
    for client in clients:
        client.start()
    settings = {**source.settings, "POLL_SECONDS": 0.05, "BATCH_EVENTS": 50, "LEASE_SECONDS": 0.3}
    killed = kill_relays(manage, settings, lambda: any(client.is_alive() for client in clients))
    took = time.monotonic() - began
    assert manage("logbook_relay", "--once", settings=source.settings).wait(300) == 0

    committed = set(Work.objects.values_list("key", flat=True))
    assert committed == set(Patient.objects.values_list("name", flat=True))
    assert 0 < len(committed) < REQUESTS
    events = source.events()
    # Each request creates two records and tells one event.
    expected = {(key, action): count for key in committed for action, count in (("create", 2), ("worked", 1))}
    assert Counter((event["correlation_id"], event["action"]) for event in events) == expected
    assert sorted(event["sequence"] for event in events) == list(range(1, len(events) + 1))
    state = source.state()
    assert state["duplicates"] > 0
    assert (state["gaps"], state["gaps_complete"], state["rejected"]) == ([], True, 0)
    assert [(epoch["first"], epoch["last"]) for epoch in state["epochs"]] == [(1, len(events))]
    assert not OutboxEvent.objects.exists()
    done = f"{len(committed)} of {REQUESTS} requests committed, {killed} relays killed in {took:.0f} s"
    figures.append(f"{done}: {len(events)} events, {state['duplicates']} sent twice")

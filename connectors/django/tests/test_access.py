"""The access log: who came in, who could not, and that no secret is on the way."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from logbook_django.models import OutboxEvent
from logbook_django.requests import client_ip, session_hash

PASSWORD = "correct horse"
BROWSER = {"HTTP_USER_AGENT": "Firefox", "REMOTE_ADDR": "::ffff:198.51.100.4", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}


def sign_in(client, password=PASSWORD, username="asha"):
    return client.post("/sign-in", {"username": username, "password": password}, **BROWSER).status_code


def is_on_call(user, request):
    return "on call"


def test_a_sign_in_and_a_sign_out(source, user):
    client = Client()
    with source.configure(ROLE=is_on_call):
        assert sign_in(client) == 200
        key = client.session.session_key
        client.post("/sign-out", **BROWSER)
    login, logout = source.sent("access")
    assert (login["event_type"], logout["event_type"]) == ("login", "logout")
    for event in (login, logout):
        assert (event["user"]["id"], event["user"]["name"], event["username"]) == (str(user.pk), "Asha Rao", "asha")
        # X-Forwarded-For is what a client says, so it is not believed.
        assert (event["ip_address"], event["user_agent"], event["role"]) == ("198.51.100.4", "Firefox", "on call")
        assert event["session_id"] == session_hash(key)
        assert event["status"] == "success"
    assert key not in str(source.events())
    assert login["metadata"] == {"backend": "django.contrib.auth.backends.ModelBackend", "path": "/sign-in"}
    assert login["correlation_id"] != logout["correlation_id"]


def test_a_failed_sign_in_has_the_name_and_no_password(source, user):
    assert sign_in(Client(), "hunter2") == 401
    assert sign_in(Client(), "hunter2", "nobody") == 401
    assert "hunter2" not in "".join(OutboxEvent.objects.values_list("payload", flat=True))
    first, second = source.sent("access")
    assert [first["username"], second["username"]] == ["asha", "nobody"]
    assert (first["event_type"], first["status"], first["status_reason"]) == ("login_failed", "failure", "wrong name or password")
    assert (first["ip_address"], first["user_agent"]) == ("198.51.100.4", "Firefox")
    assert "hunter2" not in str(source.events())


def test_a_failed_sign_in_outside_of_a_transaction_is_committed_at_once(source, user):
    from django.contrib.auth import authenticate
    from django.test import RequestFactory

    request = RequestFactory().post("/sign-in")
    assert authenticate(request, username="asha", password="wrong") is None
    assert OutboxEvent.objects.count() == 1
    assert not transaction.get_connection().in_atomic_block


def test_a_lock_out_by_axes(source, user):
    for _ in range(3):
        sign_in(Client(), "wrong")
    # Locked: the right password does not help either.
    assert sign_in(Client()) != 200
    events = source.sent("access")
    assert [event["event_type"] for event in events].count("login_failed") == 4
    locked = [event for event in events if event["event_type"] == "locked_out"]
    # axes says so with the third failure and with each attempt after it.
    assert [(e["status"], e["username"], e["ip_address"]) for e in locked] == [("denied", "asha", "198.51.100.4")] * 2
    assert events[-1]["status_reason"] == "locked out after too many failures"


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "expected"),
    [
        ([], "198.51.100.4", "203.0.113.9", "198.51.100.4"),
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.9", "203.0.113.9"),
        # Whoever is before the trusted proxies may write what they like.
        (["10.0.0.0/8"], "10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (["10.0.0.0/8"], "198.51.100.4", "203.0.113.9", "198.51.100.4"),
        (["10.0.0.0/8"], "10.0.0.1", "nonsense", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "", "10.0.0.1"),
        ([], "2001:DB8:0::7", "", "2001:db8::7"),
        ([], "unix:", "", None),
        ([], "fe80::1%eth0", "", "fe80::1"),
        (["fe80::/10"], "fe80::1%eth0", "[2001:db8::7], fe80::3%eth0", "2001:db8::7"),
    ],
)
def test_the_address_of_the_client(source, rf, proxies, remote, forwarded, expected):
    with source.configure(TRUSTED_PROXIES=proxies):
        assert client_ip(rf.get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)) == expected


def test_no_password_is_stored_with_a_changed_user(source, user):
    user.set_password("hunter2")
    user.save()
    User.objects.create_user("ben", password="hunter3")
    payloads = "".join(OutboxEvent.objects.values_list("payload", flat=True))
    assert user.password not in payloads
    assert "md5$" not in payloads
    changed, created = source.sent("application")
    assert {"field": "password", "old": "[masked]", "new": "[masked]"}.items() <= changed["changes"][0].items()
    assert "md5$" not in str([changed, created])

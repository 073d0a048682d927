"""The access log."""

from __future__ import annotations

from checks import Evidence, check, name_of
from story import LIMITED

from project import ADMIN

WRONG, LOCKED = "wrong name or password, or the account is inactive", "locked out after too many failed sign-ins"
NOBODY, ASHA, BELA = "nobody@clinic.test", "asha@clinic.test", "bela@clinic.test"


def told(events: tuple[dict, ...]) -> list[tuple]:
    """What happened, to whom, how it ended, and in which role."""
    access = [e for e in events if e["log"] == "access"]
    return [(e["action"], name_of(e["target"]), name_of(e["actor"]), e["outcome"], e["outcome_reason"], e["role"]) for e in access]


@check
def of_the_app(e: Evidence) -> None:
    """the app's access log: who came in and who did not, unknown accounts too, locked accounts, switched roles, ended sessions"""
    missing = "specified user role does not exist"
    expected = [
        ("login_failed", NOBODY, None, "failure", WRONG, None),
        ("login_failed", ASHA, None, "failure", WRONG, None),
        ("login_failed", ASHA, None, "failure", "OTP/Link login is not enabled", None),
        ("login", ASHA, "Asha Rao", "success", None, "Nurse"),
        ("role_switched", None, "Asha Rao", "success", None, "Doctor"),
        ("role_switched", None, "Asha Rao", "success", None, "AnonymousUsers"),
        ("role_switched", None, "Asha Rao", "success", None, "Doctor"),
        ("role_switched", None, "Asha Rao", "failure", missing, None),
        ("login", ASHA, "Asha Rao", "success", None, "Doctor"),
        ("logout", ASHA, "Asha Rao", "success", None, "Doctor"),
        ("session_expired", ASHA, "Asha Rao", "success", None, "Doctor"),
        *[("login_failed", BELA, None, "failure", WRONG, None)] * 4,
        ("locked_out", BELA, None, "denied", "too many failed sign-ins", None),
        ("login_failed", BELA, None, "denied", LOCKED, None),
        ("role_switched", ASHA, "Asha Rao", "success", None, "Nurse"),
        ("role_switched", ASHA, "Asha Rao", "failure", None, None),
        ("login", ASHA, "Asha Rao", "success", None, None),
        ("session_expired", ASHA, "Asha Rao", "success", None, None),
    ]
    assert told(e.app) == expected, told(e.app)


@check
def of_the_panel(e: Evidence) -> None:
    """the platform's access log: the App Panel's sign-ins, of which Zango keeps none, and guesses on a locked account"""
    name = "Default Super Admin"
    expected = [
        ("login_failed", "nobody@panel.test", None, "failure", WRONG, None),
        ("login_failed", ADMIN, None, "failure", WRONG, None),
        ("login", ADMIN, name, "success", None, None),
        ("login", LIMITED, "Lim", "success", None, None),
        ("login", ADMIN, name, "success", None, None),
        ("logout", ADMIN, name, "success", None, None),
        *[("login_failed", ADMIN, None, "failure", WRONG, None)] * 4,
        ("locked_out", ADMIN, None, "denied", "too many failed sign-ins", None),
        ("login_failed", ADMIN, None, "denied", LOCKED, None),
    ]
    assert told(e.platform) == expected, told(e.platform)
    for event in e.found("login", e.platform):
        assert event["actor"]["type"] == "admin" and (event["actor"]["id"] == str(e.facts.admin)) == (name_of(event["actor"]) == name)


@check
def known_accounts(e: Evidence) -> None:
    """a failed sign-in says whether there is such an account, and leads to it"""
    unknown, known = e.found("login_failed")[:2]
    assert (unknown["metadata"]["known_account"], unknown["targets"]) == (False, [])
    assert known["targets"] == [{"type": "user", "id": str(e.facts.users[ASHA]), "name": "Asha Rao"}]
    assert known["metadata"]["known_account"] is True


@check
def sessions(e: Evidence) -> None:
    """an ended session is the one that ended, though Zango stamps another one; its events share its id"""
    first, second, _ = (event["session_id"] for event in e.found("login"))
    logout, expired = e.one("logout"), e.found("session_expired")[0]
    assert (logout["session_id"], expired["session_id"]) == (first, second)
    assert (logout["metadata"]["ended_by"], expired["metadata"]["ended_by"]) == ("logout", "expiry")
    assert f"zango-{logout['metadata']['zango']['stamped']}" == second
    assert {event["session_id"] for event in e.app if name_of(event["actor"]) == "Asha Rao" and event["log"] == "application"} == {first}


@check
def roles(e: Evidence) -> None:
    """a switched role says from which to which, and whether it was theirs"""
    told = [event["metadata"] for event in e.found("role_switched") if "to" in event["metadata"]]
    assert [(metadata["from"]["name"], metadata["to"].get("name"), metadata.get("assigned")) for metadata in told] == [
        ("Nurse", "Doctor", True), ("Doctor", "AnonymousUsers", False), ("AnonymousUsers", "Doctor", True), ("Doctor", None, None),
    ]  # fmt: skip


@check
def addresses(e: Evidence) -> None:
    """every access event has the address and the program it came from"""
    for event in (*e.app, *e.platform):
        if event["log"] == "access" and event["user_agent"] != "other" and event["metadata"].get("ended_by") != "logout_or_expiry":
            assert event["ip_address"] == "127.0.0.1" and "Firefox" in event["user_agent"], event

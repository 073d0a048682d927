"""Secrets are masked before they are in the outbox, as Logbook itself would mask them."""

import json

import logbook_django as logbook
import pytest
from logbook_django import masking
from logbook_django.models import OutboxEvent

HASH = "pbkdf2_sha256$600000$0a031ae315d5ffff4f5212$597deccddd883fc20c46c4c9985f8e21585f31f6f50="
KEY = "lobXEDJH5S5-vNUNqMcHfhCdh33XelJ7zyU2gAUW"
SECRET = (
    "password", "userPassword", "NEW-PASSWORD", "client_secret", "otp", "otp_codes", "apiKey", "password2", "password_confirmation",
    "new_password_confirm", "access_token_value", "PIN", "api_secret_v2", "otp_1", "APIKey", "userpassword", "X-Api-Key", "token_key",
    "session_key", "password_hash", "recoveryCodes", "api_keys", "refresh-tokens",
)  # fmt: skip
WEAK = ("token", "credentials", "has_password", "old_passwords_used", "reset_tokens", "salt")
PLAIN = (
    "password_date", "token_count", "author", "pinned", "secretary", "total_tokens", "next_page_token", "nextPageToken", "primary_key",
    "public_key", "private_key_path", "password_hint", "digest", "pin_code", "secret_santa", "name", "", "_", "key", "tokens_used_total",
)  # fmt: skip
VALUES = (
    "hunter2", KEY, "A-17", "a401a006-e524-460b-87c3-efe91686bc82", "", "***", "changed", "<redacted>", "${PASSWORD}", "[masked]",
    "[masked:3f9c]", "PA-2024-00187", "userName2", "/etc/ssl/private/clinic.key", "2026-03-01T10:00:00Z", "f7k2-99xq", 7, 7.5, 0, True,
    None, ["a", 7, None, ""], [["a", "b"], ["a", "b", "c"]], {"value": "x", "name": "db"}, {"error": "is too short"}, list(range(65)),
)  # fmt: skip


@pytest.mark.parametrize("name", [*SECRET, *WEAK, *PLAIN])
def test_what_is_masked_is_what_logbook_masks(logbook, name):
    """The server's word, for each name with each value; beside it, the connector may only leave something to the server."""
    values = {str(n): {name: value} for n, value in enumerate(VALUES)}
    trial = {"masking": {"mask": [], "keep": []}, "metadata": values}
    theirs = logbook.api("/masking/preview", trial)["metadata"]
    ours = masking.mask({"metadata": values}, frozenset())["metadata"]
    trial["metadata"] = ours
    assert logbook.api("/masking/preview", trial)["metadata"] == theirs
    if name not in PLAIN:
        simple = [str(n) for n, value in enumerate(VALUES) if not isinstance(value, list | dict)]
        assert {n: ours[n] for n in simple} == {n: theirs[n] for n in simple}


@pytest.mark.parametrize(("names", "says"), [(SECRET, "SECRET"), (PLAIN, "NOTHING")])
def test_names(names, says):
    assert {name: masking.verdict(name).name for name in names} == dict.fromkeys(names, says)


def test_nothing_secret_is_in_the_outbox(source):
    changes = [
        {"field": "password", "old": None, "new": HASH},
        {"field": "recovery_codes", "added": ["4711-0815"], "removed": []},
        {"field": "api_key", "old": KEY, "new": "", "old_label": KEY, "label": "API key"},
        {"field": "token", "old": "A-17", "new": KEY},
        {"field": "city", "old": "Pune", "new": "Goa"},
        {"field": "settings", "old": None, "new": {"smtp": {"password": HASH, "host": "mail"}}},
    ]
    with source.configure(HIDE_FIELDS=["diagnosis"]):
        hidden = {"field": "diagnosis", "old": True, "new": ["anaemia"]}
        event = {"action": "update", "model": "authtoken.token", "record_id": "1", "metadata": {"form": {"otp": "123456"}}}
        logbook.record("application", {**event, "changes": [*changes, hidden, {"field": "digest", "old": None, "new": "ab12"}]})
    payload = OutboxEvent.objects.get().payload
    assert not [text for text in (HASH, "4711", KEY, "anaemia", "123456", "ab12") if text in payload]
    assert json.loads(payload)["changes"] == [
        {"field": "password", "old": None, "new": "[masked]"},
        {"field": "recovery_codes", "added": ["[masked]"], "removed": []},
        {"field": "api_key", "old": "[masked]", "new": "", "old_label": "[masked]", "label": "API key"},
        {"field": "token", "old": "A-17", "new": "[masked]"},
        {"field": "city", "old": "Pune", "new": "Goa"},
        {"field": "settings", "old": None, "new": {"smtp": {"password": "[masked]", "host": "mail"}}},
        {"field": "diagnosis", "old": "[masked]", "new": ["[masked]"]},
        {"field": "digest", "old": None, "new": "[masked]"},
    ]
    assert json.loads(payload)["metadata"] == {"form": {"otp": "[masked]"}}
    [stored] = source.sent("application")
    assert (stored["changes"], stored["metadata"]["form"]) == (json.loads(payload)["changes"], {"otp": "[masked]"})


def test_what_the_app_writes_wrongly_is_sent_as_it_is(source):
    assert masking.mask({"changes": ["password", {"old": 1}], "metadata": {"errors": {"password": "is too short"}}}, frozenset()) == {
        "changes": ["password", {"old": 1}],
        "metadata": {"errors": {"password": "is too short"}},
    }

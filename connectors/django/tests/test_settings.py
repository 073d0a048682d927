"""The settings, and what is said where they are wrong."""

import subprocess

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections
from logbook_django.checks import check_databases
from logbook_django.conf import config
from logbook_django.registry import register_settings


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"OUTBOX_MAX_ROW": 10}, "no setting 'OUTBOX_MAX_ROW'"),
        ({"url": "http://x"}, "no setting 'url'"),
        ({"WHEN_FULL": "panic"}, "'panic', not one of 'drop_oldest', 'block'"),
        ({"BATCH_EVENTS": 0}, "not a number above 0"),
        ({"TRUSTED_PROXIES": ["10.0.0.1/8"]}, "has host bits set"),
    ],
)
def test_a_wrong_setting_is_named(source, wrong, said):
    with source.configure(**wrong), pytest.raises(ImproperlyConfigured, match=said):
        config()


def test_an_unknown_model_is_named(source):
    with source.configure(MODELS=["clinic.Nobody"]), pytest.raises(ImproperlyConfigured, match=r"'clinic.Nobody'"):
        register_settings()


def test_the_environment_says_where_to_send(settings_without_logbook, monkeypatch):
    for name, value in (("URL", "http://logbook.example/"), ("WORKSPACE", "w"), ("SOURCE", "s"), ("KEY", "k")):
        assert not config().enabled
        config.cache_clear()
        monkeypatch.setenv(f"LOGBOOK_{name}", value)
    assert config().enabled
    assert config().url == "http://logbook.example/"
    assert "key=" not in repr(config())


def test_an_app_starts_without_logbook_and_says_so_once(manage):
    process = manage("check", stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert said.count("Logbook is not configured") == 1
    assert "LOGBOOK_URL, LOGBOOK_WORKSPACE, LOGBOOK_SOURCE, LOGBOOK_KEY" in said


def test_the_check_tells_what_would_lose_or_refuse_something(source, monkeypatch):
    def found():
        return [message.id for message in check_databases()]

    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": "IMMEDIATE"})
    assert found() == []
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", False)
    assert found() == ["logbook_django.W001"]
    monkeypatch.setattr(type(connections["default"]), "vendor", "mysql")
    assert found() == ["logbook_django.E001", "logbook_django.W001"]
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    monkeypatch.setattr(type(connections["default"]), "vendor", "sqlite")
    assert found() == ["logbook_django.W001", "logbook_django.W002"]

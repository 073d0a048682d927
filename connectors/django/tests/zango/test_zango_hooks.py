"""Hooking replaces what is there and goes on without what is not."""

import logging
import sys
import types
from collections.abc import Iterator

import pytest
from django.dispatch import Signal

from logbook_django.zango.hooks import wrap, wrap_receiver

CODE = """
calls = []
def greet(name): return f"hello {name}"
def receiver(**sent): calls.append(sent)
class View:
    def post(self): return "posted"
"""


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    """A module of Zango, and another that has imported its function by name."""
    first, second = types.ModuleType("zango.first"), types.ModuleType("zango.second")
    exec(CODE, first.__dict__)
    second.greet = first.greet
    sys.modules |= {"zango.first": first, "zango.second": second}
    yield first
    del sys.modules["zango.first"], sys.modules["zango.second"]


def test_a_function_is_replaced_once_wherever_it_is_named(module: types.ModuleType) -> None:
    for _ in range(2):
        assert wrap("zango.first:greet", lambda original: lambda name: original(name).upper(), "greetings are")
    assert module.greet("a") == sys.modules["zango.second"].greet("a") == "HELLO A"
    assert module.greet.__name__ == "greet"


def test_a_method_is_replaced(module: types.ModuleType) -> None:
    assert wrap("zango.first:View.post", lambda original: lambda self: original(self) + "!", "posts are")
    assert module.View().post() == "posted!"


@pytest.mark.parametrize("path", ["zango.first:nothing", "zango.first:View.nothing", "zango.first:Nothing.post", "zango.nowhere:greet"])
def test_what_is_not_there_is_named(module: types.ModuleType, caplog: pytest.LogCaptureFixture, path: str) -> None:
    with caplog.at_level(logging.WARNING, "logbook_django.zango"):
        assert not wrap(path, lambda original: original, "greetings are")
    assert f"has no {path.replace(':', '.')}: greetings are not recorded" in caplog.text


def test_what_some_versions_rightly_have_not_is_passed_over(module: types.ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    assert not wrap("zango.first:nothing", lambda original: original, None)
    assert not caplog.text


def test_a_receiver_is_called_inside_ours(module: types.ModuleType) -> None:
    signal, seen = Signal(), []
    signal.connect(module.receiver)

    def make(original):
        def ours(**sent):
            original(**sent)
            seen.append(len(module.calls))

        return ours

    assert wrap_receiver(signal, "zango.first:receiver", make, "rows are")
    signal.send(None, request="r")
    assert ([call["request"] for call in module.calls], seen) == (["r"], [1])


def test_ours_is_called_alone_where_there_is_no_receiver(module: types.ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    signal, seen = Signal(), []
    assert not wrap_receiver(signal, "zango.first:gone", lambda original: lambda **sent: seen.append(original(**sent)), "rows are")
    signal.send(None)
    assert seen == [None] and "has no zango.first.gone: rows are not recorded" in caplog.text

"""What Zango knows of a request, as events have it."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from logbook_django.zango.people import remote_address


@pytest.mark.parametrize(("told", "address"), [("fe80::1%eth0", "fe80::1"), ("2001:DB8::7", "2001:db8::7")])
def test_the_zone_of_an_address_is_cut_off(monkeypatch: pytest.MonkeyPatch, told: str, address: str) -> None:
    middleware = ModuleType("zango.apps.auditlogs.middleware")
    middleware.AuditlogMiddleware = SimpleNamespace(_get_remote_addr=lambda request: told)
    for name in ("zango", "zango.apps", "zango.apps.auditlogs"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, middleware.__name__, middleware)
    assert remote_address(None) == address

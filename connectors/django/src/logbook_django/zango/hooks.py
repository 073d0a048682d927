"""Hooking into Zango without changing its files. A hook point that this version lacks is named in a warning, and the app goes on."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import logging
import sys
from collections.abc import Callable
from typing import Any

from django.dispatch import Signal

logger = logging.getLogger("logbook_django.zango")


def _find(path: str) -> tuple[Any, str, Any] | None:
    """The owner, name and value of "module:name" or "module:Class.name"; None where it does not exist."""
    module_name, _, attributes = path.partition(":")
    try:
        owner: Any = importlib.import_module(module_name)
        *parents, name = attributes.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        return owner, name, getattr(owner, name)
    except (ImportError, AttributeError) as error:
        logger.debug("%s: %s", path, error)
        return None


def _missing(path: str, what: str) -> None:
    logger.warning("Zango %s has no %s: %s not recorded", version(), path.replace(":", "."), what)


def version() -> str:
    """The installed version of Zango."""
    try:
        return importlib.metadata.version("zango")
    except importlib.metadata.PackageNotFoundError:
        return "(no package)"


def wrap(path: str, make: Callable[[Callable], Callable], what: str | None) -> bool:
    """Replaces a function or method by `make(it)`, once. Returns whether it is there.

    `what` says what is lost otherwise, as in "switched roles are"; None where some versions of Zango rightly have it not.

    Loaded modules of Zango and of the function's own package that imported it by its name get the new one too.
    """
    found = _find(path)
    if found is None:
        if what is not None:
            _missing(path, what)
        return False
    owner, name, original = found
    if hasattr(original, "_logbook_wraps"):
        return True
    wrapper = functools.wraps(original)(make(original))
    wrapper._logbook_wraps = path
    setattr(owner, name, wrapper)
    packages = ("zango.", path.partition(".")[0] + ".")
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(packages) and getattr(module, "__dict__", {}).get(name) is original:
            setattr(module, name, wrapper)
    return True


def wrap_receiver(signal: Signal, path: str, make: Callable[[Callable], Callable], what: str) -> bool:
    """Connects `make(receiver)` in place of Zango's receiver of a signal; alone where this version has no such receiver."""
    found = _find(path)
    disconnected = found is not None and signal.disconnect(found[2])
    if not disconnected:
        _missing(path, what)
    receiver = make(found[2] if disconnected else lambda **_: None)
    signal.connect(receiver, weak=False, dispatch_uid=f"logbook_django.zango:{path}")
    return disconnected

"""The relay as a thread of the app's process: RELAY = "thread"."""

from __future__ import annotations

import os
import threading

from django.db import connections

from .loop import Loop

_lock = threading.Lock()
_running: tuple[int, threading.Thread, Loop] | None = None


def wake() -> None:
    """Starts the thread where this process has none, and tells it that there is something to send.

    It is called after the first commit with an event, so never in a server's parent process before it forks. A process that was forked
    later has its parent's variable and not its thread, which the process id tells.
    """
    global _running
    if not _is_here():
        with _lock:
            if not _is_here():
                loop = Loop()
                thread = threading.Thread(target=_run, args=(loop,), name="logbook-relay", daemon=True)
                _running = (os.getpid(), thread, loop)
                thread.start()
    _running[2].wake()


def _is_here() -> bool:
    return _running is not None and _running[0] == os.getpid() and _running[1].is_alive()


def _run(loop: Loop) -> None:
    try:
        loop.forever()
    finally:
        connections.close_all()


def stop(timeout: float = 15.0) -> None:
    """Ends the thread of this process, if it has one, and waits for it."""
    global _running
    with _lock:
        running, _running = _running, None
    if running is not None and running[0] == os.getpid():
        running[2].stop()
        running[1].join(timeout)


def _forked() -> None:
    """A lock that another thread held at the moment of the fork would stay locked for ever."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forked)

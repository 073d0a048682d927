"""Sends events to Logbook, an audit-log service, without ever waiting for it.

from logbook_producer import Logbook

logbook = Logbook(spool="/var/lib/app/logbook")    # the rest from LOGBOOK_URL, _WORKSPACE, _SOURCE, _KEY
logbook.access({"event_type": "login", "user": {"id": "17", "name": "Asha Rao"}})
"""

from .backlog import SpoolFull
from .context import context
from .events import Change, NewAccessEvent, NewActor, NewApplicationEvent, NewComponent, NewFrameworkEvent, NewPerson, NewTarget
from .logbook import Logbook, Status
from .producer import Producer

__version__ = "0.1.0"
__all__ = [
    "Change",
    "Logbook",
    "NewAccessEvent",
    "NewActor",
    "NewApplicationEvent",
    "NewComponent",
    "NewFrameworkEvent",
    "NewPerson",
    "NewTarget",
    "Producer",
    "SpoolFull",
    "Status",
    "context",
]

"""Clients for Python send to a server at BASE_URL, each four good events and one that cannot be read. Each client's key is in
KEY_<NAME>."""

import json
import logging
import os
from urllib.parse import urlsplit

import requests
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from splunk_handler import SplunkHandler
from workos import WorkOSClient
from workos.audit_logs.models import AuditLogEvent

ORIGIN = os.environ["BASE_URL"]
WORKSPACE = os.environ["WORKSPACE"]
# No action can be made of the third.
ACTIONS = ["user.login", "user.login", "!!!", "user.logout", "user.login"]


def key(name: str) -> str:
    return os.environ["KEY_" + name.upper().replace("-", "_")]


def splunk() -> None:
    at = urlsplit(ORIGIN)
    handler = SplunkHandler(
        host=at.hostname, port=at.port, token=key("py-splunk"), index="main", protocol="http", verify=False,
        record_format=True, flush_interval=0.5,
    )
    logger = logging.getLogger("audit")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for n, action in enumerate(ACTIONS):
        logger.info(json.dumps({"action": action, "user": f"u{n}"}))
    handler.force_flush()
    handler.close()


def otel() -> None:
    exporter = OTLPLogExporter(
        endpoint=f"{ORIGIN}/v1/logs", headers={"Authorization": f"Bearer {key('py-otlp')}"}
    )
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("audit", "1")
    for n, action in enumerate(ACTIONS):
        attributes = {"audit.actor.id": f"u{n}", "n": n}
        logger.emit(LogRecord(timestamp=1_764_000_000_000_000_000 + n, event_name=action, body="said", attributes=attributes))
    provider.force_flush()
    provider.shutdown()


def cloudevents() -> None:
    name = "py-cloudevents"
    url = f"{ORIGIN}/api/v1/workspaces/{WORKSPACE}/sources/{name}/events"
    for n, action in enumerate(ACTIONS):
        event = CloudEvent({"type": action, "source": "/test", "subject": f"invoice/{n}"}, {"actor": {"id": f"u{n}"}})
        headers, body = (to_binary if n % 2 else to_structured)(event)
        answer = requests.post(url, data=body, headers={**headers, "Authorization": f"Bearer {key(name)}"}, timeout=30)
        answer.raise_for_status()


def workos() -> None:
    client = WorkOSClient(api_key=key("py-workos"), client_id="none", base_url=ORIGIN)
    for n, action in enumerate(ACTIONS):
        client.audit_logs.create_event(
            organization_id="org_1",
            event=AuditLogEvent.from_dict(
                {
                    "action": action,
                    "occurred_at": "2026-11-25T02:00:00Z",
                    "actor": {"id": f"u{n}", "type": "user"},
                    "targets": [{"id": "t", "type": "team"}],
                    "context": {"location": "192.0.2.1", "user_agent": "x"},
                }
            ),
            idempotency_key=f"k{n}",
        )


splunk()
otel()
cloudevents()
workos()

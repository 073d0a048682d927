"""Sends events to Logbook, an audit-log service, without ever waiting for it."""

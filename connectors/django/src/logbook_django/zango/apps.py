"""The Django app: hooks Zango once its models are there."""

from __future__ import annotations

import logging

from django.apps import AppConfig, apps

logger = logging.getLogger("logbook_django.zango")


class LogbookZangoConfig(AppConfig):
    name = "logbook_django.zango"
    label = "logbook_zango"
    verbose_name = "Logbook for Zango"

    def ready(self) -> None:
        if not apps.is_installed("zango.apps.auditlogs"):
            logger.warning("logbook_django.zango is installed without Zango, and does nothing")
            return
        from ..conf import config
        from . import access, application, bulk, checks, framework, panel, refusals, relations, requests, tasks

        checks.connect()
        # The core has said what is missing.
        if not config().enabled:
            return
        for part in (requests, access, application, relations, bulk, framework, panel, refusals, tasks):
            try:
                part.connect()
            except Exception:
                # The app goes on without this part of its logs.
                logger.exception("%s cannot hook into this version of Zango", part.__name__)

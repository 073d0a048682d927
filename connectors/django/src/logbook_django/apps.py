"""The Django app: connects what the settings ask for."""

from __future__ import annotations

import importlib.util
import logging

from django.apps import AppConfig, apps
from django.core.signals import setting_changed

from . import conf

logger = logging.getLogger("logbook_django")


class LogbookConfig(AppConfig):
    name = "logbook_django"
    label = "logbook_django"
    verbose_name = "Logbook"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        settings = conf.config()
        setting_changed.connect(_forget_settings, dispatch_uid="logbook")
        # Connected without configuration too: a test or a later setting may enable it, and record() asks.
        if not settings.enabled:
            logger.warning(
                "Logbook is not configured, so nothing is recorded: set %s", ", ".join(f"LOGBOOK_{name}" for name in settings.missing)
            )
        if settings.access and not apps.is_installed(conf.ZANGO):
            from . import access

            access.connect()
        if settings.auditlog and apps.is_installed("auditlog"):
            from . import auditlog, bulk

            auditlog.connect()
            for model in auditlog.models():
                bulk.audit_managers(model)
        if settings.admin and apps.is_installed("django.contrib.admin"):
            from . import admin_actions

            admin_actions.connect()
        if settings.celery is True or (settings.celery == "auto" and importlib.util.find_spec("celery")):
            from . import celery

            celery.connect()
        from . import checks, registry

        checks.register()
        registry.register_settings()


def _forget_settings(setting: str, **_: object) -> None:
    if setting == "LOGBOOK":
        conf.reset()

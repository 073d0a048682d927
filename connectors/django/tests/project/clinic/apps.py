from django.apps import AppConfig
from django.db.backends.signals import connection_created


def use_wal(connection, **_):
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA journal_mode=WAL; ")


class ClinicConfig(AppConfig):
    name = "clinic"

    def ready(self):
        connection_created.connect(use_wal)

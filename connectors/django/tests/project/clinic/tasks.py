import os

import logbook_django as logbook
from celery import Celery

app = Celery("clinic")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task
def admit(name):
    from .models import Patient

    Patient.objects.create(name=name)


@app.task
def fail(password):
    raise RuntimeError("the lab does not answer")


@app.task
def tell(**context):
    logbook.record("framework", {"action": "told", "component": {"type": "process", "id": str(os.getpid())}})

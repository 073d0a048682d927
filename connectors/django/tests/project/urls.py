"""The pages of the test project."""

import random
import time

import logbook_django as logbook
from clinic.models import Patient, Work
from clinic.tasks import admit
from django.contrib import admin
from django.contrib.auth import authenticate, login, logout
from django.db import transaction
from django.http import HttpResponse
from django.urls import path


def work(request):
    """Commits a row and three events, or rolls all of it back; sometimes a part of it, and sometimes late."""
    key = request.GET["key"]
    Work.objects.create(key=key)
    try:
        with transaction.atomic():
            Patient.objects.create(name="rolled back")
            raise LookupError
    except LookupError:
        pass
    logbook.record("framework", {"action": "worked", "component": {"type": "work", "id": key}})
    with transaction.atomic():
        Patient.objects.create(name=key)
    if random.random() < 0.1:
        time.sleep(random.random() / 20)
    if request.GET["end"] == "roll back":
        raise RuntimeError("rolled back")
    return HttpResponse(key)


def sign_in(request):
    user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse(status=401)
    login(request, user)
    return HttpResponse()


def sign_out(request):
    logout(request)
    return HttpResponse()


def add_patient(request):
    return HttpResponse(Patient.objects.create(name=request.GET["name"]).pk)


def enqueue(request):
    admit.delay(request.GET["name"])
    return HttpResponse()


async def add_patient_async(request):
    patient = await Patient.objects.acreate(name=request.GET["name"])
    await logbook.arecord("framework", {"action": "added", "component": {"type": "patient", "id": str(patient.pk)}})
    return HttpResponse()


urlpatterns = [
    path("work", work),
    path("sign-in", sign_in),
    path("sign-out", sign_out),
    path("patients", add_patient),
    path("patients/async", transaction.non_atomic_requests(add_patient_async)),
    path("enqueue", enqueue),
    path("admin/", admin.site.urls),
]

from django.db import transaction
from django.http import JsonResponse
from django.views.generic import View
from zango.core.tasks import zango_task_executor

import logbook_django

from .models import Draft, Patient, Unprintable, Visit, Ward


class ClinicView(View):
    """Does what the parameter `what` says; the answer has the ids."""

    def get(self, request, *args, **kwargs):
        return JsonResponse(getattr(self, request.GET["what"])(request) or {})

    def create(self, request):
        patient = Patient.objects.create(name=request.GET["name"], address="12 MG Road", details={"bed": 4}, phone="+919811111111")
        visit = Visit.objects.create(patient=patient, status="open")
        return {"patient": patient.pk, "visit": visit.pk}

    def update(self, request):
        patient = Patient.objects.get(pk=request.GET["id"])
        patient.address, patient.details = "99 Park Street", {"bed": 7, "ward": None}
        patient.save()

    def delete(self, request):
        Patient.objects.get(pk=request.GET["id"]).delete()

    def bulk(self, request):
        created = Patient.objects.bulk_create([Patient(name=f"bulk{n}") for n in range(5)])
        updated = Patient.objects.filter(name__startswith="bulk").update(address="told once")
        Patient.objects.filter(phone="").update(phone="+919800000000")
        for patient in created:
            patient.name = patient.name.upper()
        Patient.objects.bulk_update(created, ["name"], batch_size=2)
        return {"created": len(created), "updated": updated, "deleted": Patient.objects.filter(name="BULK0").delete()[0]}

    def wards(self, request):
        patient = Patient.objects.get(pk=request.GET["id"])
        east, west = Ward.objects.create(name="East"), Ward.objects.create(name="West")
        patient.wards.set([east, west])
        patient.wards.remove(east)
        patient.wards.clear()

    def draft(self, request):
        Draft.objects.create(name="not audited")
        Draft.objects.filter(name="not audited").update(name="still not")

    def broken(self, request):
        Patient.objects.create(name="rolled back with its event")
        raise RuntimeError("the view fails after its write")

    def unprintable(self, request):
        Unprintable.objects.create()

    def savepoint(self, request):
        try:
            with transaction.atomic():
                Patient.objects.create(name="rolled back to a savepoint")
                raise ValueError("the inner block fails")
        except ValueError:
            Patient.objects.create(name="kept after a savepoint")

    def own(self, request):
        """Events that the app's own code records, and changes that an agent makes for whoever has signed in."""
        logbook_django.record("framework", {"action": "report_sent", "component": {"type": "report", "id": "7"}})
        agent = {"type": "agent", "id": "triage-2", "name": "Triage assistant"}
        with logbook_django.acting(actor=agent, purpose="INC-4711"):
            Ward.objects.create(name="Made by an agent")

    def task(self, request):
        zango_task_executor.delay(request.tenant.name, "clinic.tasks.nightly", int(request.GET["id"]))

    def failing(self, request):
        zango_task_executor.delay(request.tenant.name, "clinic.tasks.failing")

from celery import shared_task

from .models import Patient


@shared_task
def nightly(patient_id):
    patient = Patient.objects.get(pk=patient_id)
    patient.address = "reviewed"
    patient.save()


@shared_task
def failing():
    Patient.objects.create(name="of a failing task")
    raise ValueError("the lab does not answer")

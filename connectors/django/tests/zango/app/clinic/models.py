from django.db import models
from zango.apps.dynamic_models.fields import ZForeignKey, ZManyToManyField
from zango.apps.dynamic_models.models import DynamicModelBase


class Ward(DynamicModelBase):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name


class Patient(DynamicModelBase):
    # A relation of Zango 1.0 needs the primary key before it.
    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=255)
    address = models.CharField(max_length=255, blank=True, null=True)
    details = models.JSONField(null=True)
    phone = models.CharField(max_length=20, blank=True)
    wards = ZManyToManyField(Ward, blank=True)

    class DynamicModelMeta:
        exclude_audit_log_fields = ["phone"]  # noqa: RUF012

    def __str__(self):
        return self.name


class Visit(DynamicModelBase):
    patient = ZForeignKey(Patient, on_delete=models.CASCADE)
    status = models.CharField(max_length=30)

    def __str__(self):
        return f"visit {self.pk} {self.status}"


class Draft(DynamicModelBase):
    """The app does not want it in its audit log."""

    name = models.CharField(max_length=255)

    class DynamicModelMeta:
        exclude_audit_log = True


class Unprintable(DynamicModelBase):
    """Zango's audit log cannot write its rows."""

    def __str__(self):
        raise ValueError("it has no name")

from auditlog.registry import auditlog
from django.db import models


class Ward(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self):
        return self.name


class OpenPatients(models.QuerySet):
    def open(self):
        return self.filter(status="open")


class Patient(models.Model):
    name = models.CharField(max_length=100)
    status = models.CharField(max_length=20, default="open")
    age = models.IntegerField(null=True)
    weight = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    access_token = models.CharField(max_length=100, default="")
    unrecorded = models.CharField(max_length=100, default="")
    ward = models.ForeignKey(Ward, on_delete=models.SET_NULL, null=True)
    friends = models.ManyToManyField("self")
    wards = models.ManyToManyField(Ward, related_name="visitors")

    objects = OpenPatients.as_manager()

    def __str__(self):
        return self.name


class OldPatient(Patient):
    class Meta:
        proxy = True


class Work(models.Model):
    """What a request committed: the truth that the events are compared with."""

    key = models.CharField(max_length=64, unique=True)


class Invoice(models.Model):
    """django-auditlog records it, so our own receivers do not."""

    number = models.CharField(max_length=20)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    password = models.CharField(max_length=100, default="")
    payers = models.ManyToManyField(Patient)

    def __str__(self):
        return self.number


auditlog.register(Invoice, m2m_fields={"payers"})

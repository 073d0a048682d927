from django.contrib import admin

from .models import Patient


@admin.action(description="Close")
def close(admin, request, queryset):
    queryset.update(status="closed")


@admin.register(Patient)
class PatientAdmin(admin.ModelAdmin):
    actions = (close,)
    fields = ("name", "status", "age")

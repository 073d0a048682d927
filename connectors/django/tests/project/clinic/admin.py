from django.contrib import admin

from .models import Patient


@admin.action(description="Close")
def close(admin, request, queryset):
    queryset.update(status="closed")


@admin.register(Patient)
class PatientAdmin(admin.ModelAdmin):
    actions = (close,)

    def response_action(self, request, queryset):
        return super().response_action(request, queryset) or None

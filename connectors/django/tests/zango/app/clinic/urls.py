from django.urls import path

from .views import ClinicView

urlpatterns = [path("do/", ClinicView.as_view(), name="clinic")]

"""A Django project that uses all that logbook-django knows. What differs between tests comes from the environment."""

import json
import os

from django import VERSION

FOLDER = os.environ["TEST_FOLDER"]
if os.environ["TEST_DATABASE"] == "postgresql":
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": "app", "USER": "app", "HOST": FOLDER, "PORT": os.environ["TEST_PGPORT"]}
else:
    # WAL lets requests and the relay read while one of them writes; a timeout lets them write one after the other.
    options = {"timeout": 60, **({"transaction_mode": "IMMEDIATE"} if VERSION >= (5, 1) else {})}
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{FOLDER}/app.sqlite3", "OPTIONS": options}
DATABASES = {"default": {**database, "ATOMIC_REQUESTS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CONN_MAX_AGE = 60

SECRET_KEY = "of-tests-only"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "urls"
STATIC_URL = "static/"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "auditlog",
    "axes",
    "clinic",
    "logbook_django",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "logbook_django.middleware.LogbookMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 3
AXES_VERBOSE = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LOGBOOK = {
    "MODELS": ["clinic.*", "auth.User"],
    "EXCLUDE_FIELDS": ["unrecorded"],
    "LEASE_SECONDS": 1,
    **json.loads(os.environ.get("TEST_LOGBOOK", "{}")),
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"axes": {"level": "CRITICAL"}, "django.request": {"level": "CRITICAL"}},
}

CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": f"{FOLDER}/queue",
    "data_folder_out": f"{FOLDER}/queue",
    "control_folder": f"{FOLDER}/control",
}

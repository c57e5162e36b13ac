"""The settings, most of them from the environment."""

from __future__ import annotations

import os

from contentgroove.types import Secret
from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


def required(name: str, example: str) -> str:
    """Return a variable of the environment.

    Raises:
        ImproperlyConfigured: It is not set.
    """
    value = os.environ.get(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Set it, such as to {example}.")
    return value


def connection(conninfo: str) -> dict[str, object]:
    """Return a connection string as Django takes it: a URL, or words such as `host=… dbname=…`.

    Raises:
        ImproperlyConfigured: It is not one of PostgreSQL.
    """
    try:
        options = conninfo_to_dict(conninfo)
    except ProgrammingError:
        # The driver's message may quote the password.
        raise ImproperlyConfigured("DATABASE_URL is not a PostgreSQL URL. Write postgresql://USER@HOST/NAME.") from None
    django = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    named = {name: options.pop(option, "") for name, option in django.items()}
    return {"ENGINE": "django.db.backends.postgresql", **named, "OPTIONS": options}


# Debug pages show settings, but no Secret.
DATABASE_URL = Secret(required("DATABASE_URL", "postgresql://USER@HOST/NAME"))
DATABASES = {"default": connection(DATABASE_URL.reveal())}

WEBHOOK_TOKEN = Secret(required("WEBHOOK_TOKEN", "the token that `contentgroove webhooks subscribe` has printed"))
# After a worker was killed, its film waits for so many seconds. A longer handler keeps its claim: it is renewed.
WEBHOOK_LEASE = float(os.environ.get("WEBHOOK_LEASE", "60"))

ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
DEBUG = False
INSTALLED_APPS = ["films"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
ROOT_URLCONF = "cinema.urls"
WSGI_APPLICATION = "cinema.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # `runserver` would write the URL of each webhook, with its token.
    "loggers": {"django.server": {"level": "CRITICAL"}},
}
# Nothing here signs cookies or forms, so there is no SECRET_KEY.

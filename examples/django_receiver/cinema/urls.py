"""The URLs: webhooks come to /contentgroove, people to /."""

from __future__ import annotations

from django.urls import path
from films import views

urlpatterns = [path("", views.films), path("contentgroove", views.contentgroove)]

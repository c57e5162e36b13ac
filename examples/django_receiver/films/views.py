"""The webhook's URL, and the list of films."""

# Django ships no types, and pyright cannot infer these.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from contentgroove.webhooks import InboxError
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from .models import Film
from .receiving import get_receiver

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def contentgroove(request: HttpRequest) -> HttpResponse:
    """Record a webhook. A worker handles it afterwards."""
    try:
        receiver = get_receiver()
    except InboxError as error:
        # The service sends it again, because this is not 200.
        logger.error("A webhook was not recorded: %s", error)  # noqa: TRY400  # a traceback would say no more
        return HttpResponse("The database cannot be reached. Send it again.", status=503, content_type="text/plain")
    receipt = receiver.receive(request.body, request.GET.get("token"))
    return HttpResponse(receipt.reason, status=receipt.status_code, content_type="text/plain")


@require_GET
def films(_: HttpRequest) -> JsonResponse:
    """List the films with their clips and news."""
    found = Film.objects.order_by("id").prefetch_related("clips", "news")
    return JsonResponse({"films": [describe(film) for film in found]})


def describe(film: Film) -> dict[str, object]:
    """Return a film as JSON."""
    clips = [{"name": clip.name, "start": clip.start_time, "end": clip.end_time} for clip in film.clips.all()]
    return {"id": film.id, "name": film.name, "clips": clips, "news": [line.text for line in film.news.all()]}

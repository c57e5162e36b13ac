"""The meaning of each recording for a user of the SDK, written by hand from the contract.

Nothing here was copied from the SDK's results. Successes list each attribute: what the request set, what the service
adds, and None for what does not exist yet. `ID(1)` is the first id of a recording, the one in the request if there is
one; times are seconds from the start of 2026. If the recording is an example of the published document, its values are
as a reader of the document understands them: numbers as numbers, times as times.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from contentgroove import (
    APIError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from contentgroove.errors import ErrorDetail, ServerOutcomeUnknownError

from tests.sdk_calls import CREATIONS, LISTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_mock.recording.recordings import Recording

Attributes: TypeAlias = "dict[str, Any]"


def ID(number: int) -> str:  # noqa: N802 - reads as the constant that it stands for
    """Return an id in the form of recordings."""
    return f"00000000-0000-4000-8000-{number:012}"


def at(second: int) -> dt.datetime:
    """Return a time in the form of recordings."""
    return dt.datetime(2026, 1, 1, 0, 0, second, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Listed:
    """The first page of a list.

    Attributes:
        next_page: The page number in the link to the next page, None if there is no such link.
        is_last: True if the service states that nothing follows. An omitted link does not state that.
    """

    items: list[Attributes]
    next_page: int | None
    is_last: bool


@dataclass(frozen=True)
class Failed:
    """An error."""

    error: type[APIError]
    details: tuple[ErrorDetail, ...]
    retryable: bool
    retry_after: float | None = None


Expected: TypeAlias = "Attributes | Listed | Failed | None"

# A media in the response of POST /medias: nothing is known of its file; is_processing is null, so it is not finished.
_FRESH_MEDIA: Attributes = {
    "id": ID(1),
    "name": "",
    "description": None,
    "is_processing": None,
    "is_finished": False,
    "has_fetch_error": False,
    "created_at": at(0),
    "original_created_at": None,
    "processing_started_at": at(0),
    "external_id": None,
    "source_url": None,
    "source_created_at": None,
    "source_file_content_type": None,
    "source_file_duration": None,
    "source_file_height": None,
    "source_file_width": None,
    "source_file_preview_image_url": None,
    "clip_ids": (),
    "transcription_id": None,
}
# The sample video is an MP4 of six seconds, 320 by 180. Three clips are suggested, the fourth one was made.
_FINISHED_MEDIA = _FRESH_MEDIA | {
    "name": "Recorded media",
    "description": "Six seconds",
    "is_processing": False,
    "is_finished": True,
    "original_created_at": at(0),
    "external_id": "external-1",
    "source_created_at": at(0),
    "source_file_content_type": "video/mp4",
    "source_file_duration": 6.0,
    "source_file_height": 180,
    "source_file_width": 320,
    "source_file_preview_image_url": f"http://service.example/_files/{ID(1)}/still.jpg",
    "clip_ids": (ID(2), ID(3), ID(4), ID(5)),
    "transcription_id": ID(6),
}
_MEDIA_OF_URL = _FRESH_MEDIA | {"name": "Recorded from a URL", "source_url": "https://films.example/flight.mp4"}
# Nothing could be fetched: processing is over, and has_fetch_error is the reason.
_FAILED_MEDIA = _FRESH_MEDIA | {
    "is_processing": False,
    "is_finished": True,
    "has_fetch_error": True,
    "original_created_at": at(0),
    "external_id": "external-1",
    "source_url": "https://films.invalid/flight.mp4",
}
# The document's medias are still being processed; its times are in milliseconds.
_CHIMP_AT = dt.datetime(2025, 10, 15, 13, 51, 2, 559000, tzinfo=dt.UTC)
_CLIP_AT = dt.datetime(2025, 10, 15, 13, 51, 2, 558000, tzinfo=dt.UTC)
_ARCHIVED = "https://archive.org/download/SF143/SF143_512kb.mp4"
_EXAMPLE_MEDIA = _FRESH_MEDIA | {
    "id": "f98fae60-8086-41d5-8966-36698bf13de0",
    "name": "Chimp Into Space",
    "description": "Enos was the second chimpanzee launched into space by NASA. He was the first and only chimpanzee, "
    "and third hominid after cosmonauts Yuri Gagarin and Gherman Titov, to achieve Earth orbit. Enos's flight occurred "
    "on November 29, 1961. https://en.wikipedia.org/wiki/Enos_(chimpanzee)",
    "is_processing": True,
    "created_at": _CHIMP_AT,
    "original_created_at": _CHIMP_AT,
    "processing_started_at": _CHIMP_AT,
    "source_url": _ARCHIVED,
}

_FRESH_CLIP: Attributes = {
    "id": ID(2),
    "media_id": ID(1),
    "name": "Recorded clip",
    "start_time": 0.5,
    "end_time": 2.25,
    "text": None,
    "start_char": 0,
    "end_char": 0,
    "rank": None,
    "is_processing": None,
    "is_finished": False,
    "created_at": at(0),
    "processing_started_at": at(0),
    "external_id": None,
    "media_file_content_type": None,
    "media_file_duration": None,
    "media_file_height": None,
    "media_file_width": None,
    "media_file_preview_image_url": None,
    "media_file_url": None,
}
# From 0.5 to 2.25 seconds is 1.75 seconds long and touches the first two sentences: 62 characters, a space, 67 more.
_FINISHED_CLIP = _FRESH_CLIP | {
    "id": ID(1),
    "media_id": ID(2),
    "text": "A small lamp lights up before the coloured bars begin to move. "
    "With every second the tone climbs one step and the counter follows.",
    "start_char": 0,
    "end_char": 62 + 1 + 67,
    "is_processing": False,
    "is_finished": True,
    "external_id": "external-1",
    "media_file_content_type": "video/mp4",
    "media_file_duration": 1.75,
    "media_file_height": 180,
    "media_file_width": 320,
    "media_file_preview_image_url": f"http://service.example/_files/{ID(2)}/still.jpg",
    "media_file_url": f"http://service.example/_files/{ID(2)}#t=0.5,2.25",
}
_EXAMPLE_CLIP = _FRESH_CLIP | {
    "id": "32caa472-6a12-4a77-974a-52d1175502ab",
    "media_id": "dde75ca2-77ad-4dfa-b4f0-61ccff99a296",
    "name": "Example Clip",
    "start_time": 1.0,
    "end_time": 2.0,
    "is_processing": True,
    "created_at": _CLIP_AT,
    "processing_started_at": _CLIP_AT,
}

_SUBSCRIPTION: Attributes = {
    "id": ID(1),
    "url": "https://hooks.example/contentgroove",
    "subscribed_events": ("media.processing_finished",),
    "active": True,
    "created_at": at(0),
    "updated_at": at(0),
    "user_id": ID(2),
    "webhook_event_ids": (),
}
# Two medias have finished since: an event for each.
_USED_SUBSCRIPTION = _SUBSCRIPTION | {"webhook_event_ids": (ID(3), ID(4))}
_EXAMPLE_SUBSCRIPTION = _SUBSCRIPTION | {
    "id": "481f57a0-ecdf-42ec-9837-bc551eb6909b",
    "url": "https://webhook.site/cd4ca31b-6d7d-414a-a3e5-a3a3ca42b25e",
    "subscribed_events": ("*",),
    "created_at": _CHIMP_AT,
    "updated_at": _CHIMP_AT,
    "user_id": "639597af-9230-4205-a539-b5c7177b514c",
}

# Lists omit the transcription.
_LISTED = {"transcription_id": None}

_SUCCESSES: dict[str, Attributes | Listed | None] = {
    "createMedia-200": _FRESH_MEDIA | {"name": "Recorded media", "description": "Six seconds"},
    "createMedia-200-url": _MEDIA_OF_URL,
    "createMedia-200-unreachable": _FRESH_MEDIA | {"source_url": "https://films.invalid/flight.mp4"},
    "createMedia-200-example": _FRESH_MEDIA
    | {
        "id": "654599f2-d989-492b-ba66-19dc722e983c",
        "created_at": _CHIMP_AT,
        "processing_started_at": _CHIMP_AT,
        "source_url": _ARCHIVED,
    },
    "getMediaById-200": _FINISHED_MEDIA,
    "getMediaById-200-fresh": _MEDIA_OF_URL,
    "getMediaById-200-failed": _FAILED_MEDIA,
    "getMediaById-200-example": _EXAMPLE_MEDIA | {"external_id": "474"},
    "getMedias-200": Listed([_FINISHED_MEDIA | _LISTED], next_page=None, is_last=True),
    "getMedias-200-empty": Listed([], next_page=None, is_last=True),
    # Newest first, one on a page: the third and last media made is the one that fails.
    "getMedias-200-page": Listed([_FAILED_MEDIA], next_page=2, is_last=False),
    "getMedias-200-example": Listed(
        [_EXAMPLE_MEDIA | {"external_id": "468", "created_at": _CLIP_AT}], next_page=2, is_last=False
    ),
    "updateMediaById-200": _FINISHED_MEDIA | {"name": "Renamed media", "description": "A new description"},
    "updateMediaById-200-example": _EXAMPLE_MEDIA | {"external_id": "477", "description": "testdescription"},
    "deleteMediaById-204": None,
    "createClip-200": _FRESH_CLIP,
    "createClip-200-example": _EXAMPLE_CLIP
    | {"id": "a5d24ac9-86bc-46a9-b188-6dfff81c838c", "name": "Example New Clip", "is_processing": None},
    "getClipById-200": _FINISHED_CLIP,
    "getClipById-200-example": _EXAMPLE_CLIP | {"external_id": "155"},
    "getClips-200": Listed([_FINISHED_CLIP], next_page=None, is_last=True),
    # The document's example has no link to a next page, so it is unknown whether there is one.
    "getClips-200-example": Listed([_EXAMPLE_CLIP | {"external_id": "150"}], next_page=None, is_last=False),
    "updateClipById-200": _FINISHED_CLIP | {"name": "Renamed clip"},
    "updateClipById-200-example": _EXAMPLE_CLIP | {"external_id": "158"},
    "deleteClipById-204": None,
    "createWebhookSubscription-200": _SUBSCRIPTION,
    "createWebhookSubscription-200-example": _EXAMPLE_SUBSCRIPTION
    | {
        "id": "d812aaec-55e8-47b8-a9b6-3905082a53fb",
        "url": "https://example.com/contentgroove_webhooks/12345",
        "user_id": "e9adb7a5-6169-4041-8d23-d1fdb6294198",
    },
    "getWebhookSubscriptionById-200": _USED_SUBSCRIPTION,
    "getWebhookSubscriptionById-200-example": _EXAMPLE_SUBSCRIPTION,
    "getWebhookSubscriptions-200": Listed([_USED_SUBSCRIPTION], next_page=None, is_last=True),
    "getWebhookSubscriptions-200-example": Listed(
        [
            _EXAMPLE_SUBSCRIPTION
            | {
                "id": "d07aedb6-53fc-4141-b10c-083896e54ce2",
                "user_id": "aea66137-8ee1-4bab-bf5a-5d8a5bb4a7f9",
            }
        ],
        next_page=None,
        is_last=False,
    ),
    "deleteWebhookSubscriptionById-204": None,
    # The upload URL is a credential, and recordings contain none.
    "getUploadUrl-200": {
        "id": ID(1),
        "upload_id": "upload-1",
        "upload_url": f"http://service.example/_uploads/{ID(1)}?X-Amz-Algorithm=scrubbed&X-Amz-Date=scrubbed"
        "&X-Amz-Expires=scrubbed&X-Amz-SignedHeaders=scrubbed&X-Amz-Signature=scrubbed",
    },
    "getUploadUrl-200-example": {
        "id": "71eeab42-c29b-4f14-a05c-c76dd80c39b7",
        "upload_id": "example-upload-id",
        "upload_url": "https://file-uploads.example.com/9b9a2e82?X-Amz-Expires=604800&X-Amz-Signature=EXAMPLE",
    },
}

_NOT_JSON = "The body is not JSON: Input data was truncated"
_UNKNOWN_FILTER = "filter[nothing_eq] is not known: write attribute_matcher, such as name_eq."
_INVALID_VALUES = {
    "createMedia": ("upload_id", "invalid", "Upload is not known"),
    "updateMediaById": ("name", "blank", "Name can't be blank"),
    "createClip": ("end_time", "less_than_or_equal_to", "End time must be within the media's 6 seconds"),
    "updateClipById": ("end_time", "less_than_or_equal_to", "End time must be within the media's 6 seconds"),
    "createWebhookSubscription": ("url", "invalid", "Url must be an absolute http or https URL"),
}
_COUNTED = {"createMedia": "medias", "createClip": "clips"}


def expected(recording: Recording) -> Expected:
    """Return the meaning of a recording.

    Raises:
        LookupError: It is not written down yet.
    """
    if recording.name in _SUCCESSES:
        return _SUCCESSES[recording.name]
    # The simulator's error responses have the same texts everywhere.
    if recording.origin == "simulator" and recording.status in _FAILURES:
        return _failure(recording.operation, recording.status)
    raise LookupError(f"{recording.name} is new: write down in tests/recorded/expected.py what it means to a user")


def successes() -> set[str]:
    """Return the names of the successes above."""
    return set(_SUCCESSES)


def _failure(operation: str, status: int) -> Failed:
    error, detail, retryable, retry_after = _FAILURES[status]
    if status == 500 and operation in CREATIONS:
        # It is unknown whether something was created before the failure, so the same call could create it twice.
        error, retryable = ServerOutcomeUnknownError, False
    if callable(detail):
        detail = detail(operation)
    return Failed(error, (detail,), retryable, retry_after)


def _bad_request(operation: str) -> ErrorDetail:
    return ErrorDetail("Bad Request", _UNKNOWN_FILTER if operation in LISTS else _NOT_JSON, None, "400")


def _quota(operation: str) -> ErrorDetail:
    # The service writes "422" into the body of a 402.
    sentence = (
        f"You have exceeded the monthly quota for number of {_COUNTED[operation]}. Please visit the Settings / Quota "
        "Usage page to see your usage and manage your account."
    )
    return ErrorDetail("Unprocessable Entity", sentence, "exceeded_quota_count", "422", "")


def _invalid(operation: str) -> ErrorDetail:
    name, code, sentence = _INVALID_VALUES[operation]
    return ErrorDetail("Unprocessable Entity", sentence, code, "422", f"/data/attributes/{name}")


_TOO_MANY = "You have exceeded the maximum number of requests in the current window. Please try again later."
_FAILURES: dict[int, tuple[type[APIError], ErrorDetail | Callable[[str], ErrorDetail], bool, float | None]] = {
    400: (BadRequestError, _bad_request, False, None),
    # The only form with `message`, which becomes the detail.
    401: (
        AuthenticationError,
        ErrorDetail(detail="You need to sign in or sign up before continuing."),
        False,
        None,
    ),
    402: (QuotaExceededError, _quota, False, None),
    404: (NotFoundError, ErrorDetail("Not Found", None, None, "404"), False, None),
    422: (UnprocessableEntityError, _invalid, False, None),
    429: (RateLimitError, ErrorDetail("Too Many Requests", _TOO_MANY, None, "429"), True, 60.0),
    500: (ServerError, ErrorDetail("Internal Server Error", None, None, "500"), True, None),
}

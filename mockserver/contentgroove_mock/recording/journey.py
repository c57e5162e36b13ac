"""The requests to record, in order: everything that the contract documents, with as few resources as possible.

A step is data. `{media}`, `{clip}`, `{subscription}` and `{upload}` stand for ids from the responses of earlier steps.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_mock.recording.contract import PackagedContract

Resource: TypeAlias = Literal["media", "clip", "subscription", "upload", "other_media", "failing_media"]

UNKNOWN_ID = "ffffffff-ffff-4fff-bfff-ffffffffffff"
HOOK_URL = "https://hooks.example/contentgroove"


class RequestSpec(Struct, frozen=True, kw_only=True):
    """A request to an operation.

    Attributes:
        resource: The resource whose id is in the path.
        attributes: The attributes in the body, None if there is no body.
        query: Names and values.
        text: The text to send instead of JSON.
        fault: How the request violates the contract, None if it does not.
    """

    resource: str | None = None
    attributes: dict[str, Any] | None = None
    query: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    fault: str | None = None


class JourneyStep(Struct, frozen=True, kw_only=True):
    """One exchange that is recorded.

    Attributes:
        status: The expected status.
        variant: As in `Recording`.
        save_as: The name of the response's resource in later steps.
        simulated: True for the simulator only, because it would use up a real account's quota without a new finding.
    """

    operation: str
    status: int
    request: RequestSpec
    variant: str | None = None
    save_as: Resource | None = None
    simulated: bool = False


class WaitUntilProcessed(Struct, frozen=True):
    """Wait until a media or clip is processed."""

    operation: str
    resource: Resource
    simulated: bool = False


class SendFile(Struct, frozen=True):
    """Send a small video to the prepared upload."""


Action: TypeAlias = "JourneyStep | WaitUntilProcessed | SendFile"


def _write(resource: str | None = None, **attributes: Any) -> RequestSpec:
    return RequestSpec(resource=resource, attributes=attributes)


_PAGE = (("page[number]", "1"), ("page[size]", "1"))
_UPLOADED = _write(upload_id="{upload}", name="Recorded media", description="Six seconds")
_UNREACHABLE = _write(source_url="https://films.invalid/flight.mp4")
# The request of each operation whenever the response does not depend on it; sent twice, none changes more than once.
USUAL: dict[str, RequestSpec] = {
    "getMedias": RequestSpec(query=(("filter[id_eq]", "{media}"),)),
    "createMedia": _write(source_url="https://films.example/flight.mp4", name="Recorded from a URL"),
    "getMediaById": RequestSpec(resource="media"),
    "updateMediaById": _write("media", name="Renamed media", description="A new description"),
    "deleteMediaById": RequestSpec(resource="media"),
    "getClips": RequestSpec(query=(("filter[id_eq]", "{clip}"),)),
    "createClip": _write(media_id="{media}", name="Recorded clip", start_time=0.5, end_time=2.25),
    "getClipById": RequestSpec(resource="clip"),
    "updateClipById": _write("clip", name="Renamed clip"),
    "deleteClipById": RequestSpec(resource="clip"),
    "getWebhookSubscriptions": RequestSpec(query=(("filter[id_eq]", "{subscription}"),)),
    "createWebhookSubscription": _write(url=HOOK_URL, subscribed_events=["media.processing_finished"]),
    "getWebhookSubscriptionById": RequestSpec(resource="subscription"),
    "deleteWebhookSubscriptionById": RequestSpec(resource="subscription"),
    "getUploadUrl": RequestSpec(),
}
_INVALID: dict[str, RequestSpec] = {
    "createMedia": _write(upload_id="no-such-upload"),
    "updateMediaById": RequestSpec(resource="media", attributes={"name": None}, fault="The name is null."),
    "createClip": _write(media_id="{media}", name="Beyond the end", start_time=0, end_time=86400),
    "updateClipById": _write("clip", end_time=86400),
    "createWebhookSubscription": _write(url="https://hooks.example:0/contentgroove"),
}


def _step(operation: str, status: int = 200, request: RequestSpec | None = None, **fields: Any) -> JourneyStep:
    return JourneyStep(operation=operation, status=status, request=request or USUAL[operation], **fields)


SUCCESSES: tuple[Action, ...] = (
    _step("createWebhookSubscription", save_as="subscription"),
    _step("getUploadUrl", save_as="upload"),
    SendFile(),
    _step("createMedia", request=_UPLOADED, save_as="media"),
    WaitUntilProcessed("getMediaById", "media"),
    _step("createClip", save_as="clip"),
    WaitUntilProcessed("getClipById", "clip"),
    _step("createMedia", variant="url", save_as="other_media", simulated=True),
    _step("getMediaById", request=RequestSpec(resource="other_media"), variant="fresh", simulated=True),
    WaitUntilProcessed("getMediaById", "other_media", simulated=True),
    _step("createMedia", request=_UNREACHABLE, variant="unreachable", save_as="failing_media", simulated=True),
    WaitUntilProcessed("getMediaById", "failing_media", simulated=True),
    _step("getMediaById", request=RequestSpec(resource="failing_media"), variant="failed", simulated=True),
    _step("getMediaById"),
    _step("getMedias"),
    _step("getMedias", request=RequestSpec(query=(*_PAGE, ("sort", "-created_at"))), variant="page", simulated=True),
    _step("getMedias", request=RequestSpec(query=(("filter[id_eq]", UNKNOWN_ID),)), variant="empty"),
    _step("getClipById"),
    _step("getClips"),
    _step("getWebhookSubscriptionById"),
    _step("getWebhookSubscriptions"),
    _step("updateMediaById"),
    _step("updateClipById"),
)
# A media last: deleting it deletes its clips.
_DELETED = ("deleteClipById", "deleteWebhookSubscriptionById", "deleteMediaById")
DELETIONS: tuple[Action, ...] = tuple(_step(operation, 204) for operation in _DELETED)


def journey(contract: PackagedContract) -> Iterator[Action]:
    """Yield all actions; failures come after the successes that create resources and before the deletions.

    Whatever the contract no longer documents is skipped.
    """
    yield from (action for action in SUCCESSES if _is_documented(action, contract))
    for operation in contract.operations:
        for status in contract.statuses(operation) if operation in USUAL else ():
            if status >= HTTPStatus.BAD_REQUEST and (request := failing_request(operation, status)) is not None:
                yield _step(operation, status, request)
    yield from (action for action in DELETIONS if _is_documented(action, contract))


def _is_documented(action: Action, contract: PackagedContract) -> bool:
    if isinstance(action, JourneyStep):
        return (action.operation, action.status) in contract.response_specs()
    return isinstance(action, SendFile) or action.operation in contract.operations


def failing_request(operation: str, status: int) -> RequestSpec | None:
    """Return the request whose response is a failure, None if no such request is known.

    A 401, 402, 429 or 500 depends on the key, the account or the service: the request is the usual one.
    """
    usual = USUAL[operation]
    match status:
        case 400 if usual.attributes is None:
            return RequestSpec(query=(("filter[nothing_eq]", "1"),), fault="The filter names no attribute.")
        case 400:
            return RequestSpec(resource=usual.resource, text="{", fault="The body is not JSON.")
        case 401 | 402 | 429 | 500:
            return usual
        case 404 if usual.resource is not None:
            return RequestSpec(resource="unknown", attributes=usual.attributes)
        case 404 if usual.attributes is not None and "media_id" in usual.attributes:
            return RequestSpec(attributes=usual.attributes | {"media_id": UNKNOWN_ID})
        case _:
            return _INVALID.get(operation) if status == HTTPStatus.UNPROCESSABLE_ENTITY else None


def sent_texts() -> frozenset[str]:
    """Return every string that the journey sends as an attribute, because responses may repeat it."""
    steps = [action for action in (*SUCCESSES, *DELETIONS) if isinstance(action, JourneyStep)]
    requests = [*(step.request for step in steps), *USUAL.values(), *_INVALID.values()]
    values = [value for request in requests for value in (request.attributes or {}).values()]
    return frozenset(value for value in values if isinstance(value, str) and "{" not in value)

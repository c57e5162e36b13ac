"""What is asked of a service, in order: everything that the contract documents, with as few resources as it takes.

A step is data. `{media}`, `{clip}`, `{subscription}` and `{upload}` stand for the ids that earlier steps brought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_mock.recording.contract_parts import PackagedContract

Resource: TypeAlias = Literal["media", "clip", "subscription", "upload", "other_media", "failing_media"]

UNKNOWN_ID = "ffffffff-ffff-4fff-bfff-ffffffffffff"
SOURCE_URL = "https://films.example/flight.mp4"
UNREACHABLE_URL = "https://films.invalid/flight.mp4"
HOOK_URL = "https://hooks.example/contentgroove"

_FIRST_FAILURE = 400
_NOT_JSON = "{"


class RequestSpec(Struct, frozen=True, kw_only=True):
    """A request to an operation.

    Attributes:
        resource: Whose id is in the path.
        attributes: What the body sends, None for no body.
        query: Names and values.
        text: What is sent in place of JSON.
        fault: What in it breaks the contract, None if nothing does.
    """

    resource: str | None = None
    attributes: dict[str, Any] | None = None
    query: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    fault: str | None = None


class JourneyStep(Struct, frozen=True, kw_only=True):
    """One exchange that is recorded.

    Attributes:
        status: The one that it should be answered with.
        variant: As in `Recording`.
        save_as: What the answer's resource is called from here on.
        simulated: Whether only the simulator is asked, because a real account would be charged for nothing new.
    """

    operation: str
    status: int
    ask: RequestSpec
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

_PAGE = (("page[number]", "1"), ("page[size]", "1"))
# What each operation is asked when the answer does not depend on it; nothing is changed by any of it twice.
USUAL: dict[str, RequestSpec] = {
    "getMedias": RequestSpec(query=(("filter[id_eq]", "{media}"),)),
    "createMedia": RequestSpec(attributes={"source_url": SOURCE_URL, "name": "Recorded from a URL"}),
    "getMediaById": RequestSpec(resource="media"),
    "updateMediaById": RequestSpec(
        resource="media", attributes={"name": "Renamed media", "description": "A new description"}
    ),
    "deleteMediaById": RequestSpec(resource="media"),
    "getClips": RequestSpec(query=(("filter[id_eq]", "{clip}"),)),
    "createClip": RequestSpec(
        attributes={"media_id": "{media}", "name": "Recorded clip", "start_time": 0.5, "end_time": 2.25}
    ),
    "getClipById": RequestSpec(resource="clip"),
    "updateClipById": RequestSpec(resource="clip", attributes={"name": "Renamed clip"}),
    "deleteClipById": RequestSpec(resource="clip"),
    "getWebhookSubscriptions": RequestSpec(query=(("filter[id_eq]", "{subscription}"),)),
    "createWebhookSubscription": RequestSpec(
        attributes={"url": HOOK_URL, "subscribed_events": ["media.processing_finished"]}
    ),
    "getWebhookSubscriptionById": RequestSpec(resource="subscription"),
    "deleteWebhookSubscriptionById": RequestSpec(resource="subscription"),
    "getUploadUrl": RequestSpec(),
}
_REFUSED: dict[str, RequestSpec] = {
    "createMedia": RequestSpec(attributes={"upload_id": "no-such-upload"}),
    "updateMediaById": RequestSpec(resource="media", attributes={"name": None}, fault="The name is null."),
    "createClip": RequestSpec(
        attributes={"media_id": "{media}", "name": "Beyond the end", "start_time": 0, "end_time": 86400}
    ),
    "updateClipById": RequestSpec(resource="clip", attributes={"end_time": 86400}),
    "createWebhookSubscription": RequestSpec(attributes={"url": "https://hooks.example:0/contentgroove"}),
}


def _usual_steps(operation: str, **rest: Any) -> JourneyStep:
    return JourneyStep(operation=operation, status=200, ask=USUAL[operation], **rest)


SUCCESSES: tuple[Action, ...] = (
    _usual_steps("createWebhookSubscription", save_as="subscription"),
    _usual_steps("getUploadUrl", save_as="upload"),
    SendFile(),
    JourneyStep(
        operation="createMedia",
        status=200,
        ask=RequestSpec(attributes={"upload_id": "{upload}", "name": "Recorded media", "description": "Six seconds"}),
        save_as="media",
    ),
    WaitUntilProcessed("getMediaById", "media"),
    _usual_steps("createClip", save_as="clip"),
    WaitUntilProcessed("getClipById", "clip"),
    _usual_steps("createMedia", variant="url", save_as="other_media", simulated=True),
    JourneyStep(
        operation="getMediaById",
        status=200,
        variant="fresh",
        ask=RequestSpec(resource="other_media"),
        simulated=True,
    ),
    WaitUntilProcessed("getMediaById", "other_media", simulated=True),
    JourneyStep(
        operation="createMedia",
        status=200,
        variant="unreachable",
        ask=RequestSpec(attributes={"source_url": UNREACHABLE_URL}),
        save_as="failing_media",
        simulated=True,
    ),
    WaitUntilProcessed("getMediaById", "failing_media", simulated=True),
    JourneyStep(
        operation="getMediaById",
        status=200,
        variant="failed",
        ask=RequestSpec(resource="failing_media"),
        simulated=True,
    ),
    _usual_steps("getMediaById"),
    _usual_steps("getMedias"),
    JourneyStep(
        operation="getMedias",
        status=200,
        variant="page",
        ask=RequestSpec(query=(*_PAGE, ("sort", "-created_at"))),
        simulated=True,
    ),
    JourneyStep(
        operation="getMedias",
        status=200,
        variant="empty",
        ask=RequestSpec(query=(("filter[id_eq]", UNKNOWN_ID),)),
    ),
    _usual_steps("getClipById"),
    _usual_steps("getClips"),
    _usual_steps("getWebhookSubscriptionById"),
    _usual_steps("getWebhookSubscriptions"),
    _usual_steps("updateMediaById"),
    _usual_steps("updateClipById"),
)
DELETIONS: tuple[Action, ...] = tuple(
    JourneyStep(operation=operation, status=204, ask=USUAL[operation])
    for operation in ("deleteClipById", "deleteWebhookSubscriptionById", "deleteMediaById")
)


def journey(contract: PackagedContract) -> Iterator[Action]:
    """Give all that is asked; failures lie between, when there is something to fail with and nothing is gone yet.

    What the contract does not document any more is left out.
    """
    yield from (action for action in SUCCESSES if _is_documented(action, contract))
    for operation in contract.operations.values():
        if operation.name not in USUAL:
            continue
        for status in operation.statuses:
            if status >= _FIRST_FAILURE and (ask := failing_request(operation.name, status)) is not None:
                yield JourneyStep(operation=operation.name, status=status, ask=ask)
    yield from (action for action in DELETIONS if _is_documented(action, contract))


def _is_documented(action: Action, contract: PackagedContract) -> bool:
    if isinstance(action, JourneyStep):
        return (action.operation, action.status) in contract.response_specs()
    return isinstance(action, SendFile) or action.operation in contract.operations


def failing_request(operation: str, status: int) -> RequestSpec | None:
    """Give the request that is answered with a failure, None if none is known.

    A 401, 402, 429 or 500 depends on the key, the account or the service: the request is the usual one.
    """
    usual = USUAL[operation]
    if status in {401, 402, 429, 500}:
        return usual
    if status == 404:  # noqa: PLR2004 - a status
        return _unknown(usual)
    if status == 422:  # noqa: PLR2004 - as above
        return _REFUSED.get(operation)
    if status == 400:  # noqa: PLR2004 - as above
        if usual.attributes is None:
            return RequestSpec(query=(("filter[nothing_eq]", "1"),), fault="The filter names no attribute.")
        return RequestSpec(resource=usual.resource, text=_NOT_JSON, fault="The body is not JSON.")
    return None


def _unknown(usual: RequestSpec) -> RequestSpec | None:
    if usual.resource is not None:
        return RequestSpec(resource="unknown", attributes=usual.attributes)
    if usual.attributes is not None and "media_id" in usual.attributes:
        return RequestSpec(attributes=usual.attributes | {"media_id": UNKNOWN_ID})
    return None


def sent_texts() -> frozenset[str]:
    """Give every string that the journey sends as an attribute, so that answers may repeat it."""
    steps = [action for action in (*SUCCESSES, *DELETIONS) if isinstance(action, JourneyStep)]
    asks = [*(step.ask for step in steps), *USUAL.values(), *_REFUSED.values()]
    values = [value for ask in asks for value in (ask.attributes or {}).values()]
    return frozenset(value for value in values if isinstance(value, str) and "{" not in value)

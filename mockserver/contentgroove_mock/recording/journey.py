"""What is asked of a service, in order: everything that the contract documents, with as few resources as it takes.

A step is data. `{media}`, `{clip}`, `{subscription}` and `{upload}` stand for the ids that earlier steps brought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_mock.recording.contract_parts import Contract

Resource: TypeAlias = Literal["media", "clip", "subscription", "upload", "other_media", "failing_media"]

UNKNOWN_ID = "ffffffff-ffff-4fff-bfff-ffffffffffff"
SOURCE_URL = "https://films.example/flight.mp4"
UNREACHABLE_URL = "https://films.invalid/flight.mp4"
HOOK_URL = "https://hooks.example/contentgroove"

_FIRST_FAILURE = 400
_NOT_JSON = "{"


class Ask(Struct, frozen=True, kw_only=True):
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


class Step(Struct, frozen=True, kw_only=True):
    """One exchange that is recorded.

    Attributes:
        status: The one that it should be answered with.
        variant: As in `Recording`.
        keeps: What the answer's resource is called from here on.
        simulated: Whether only the simulator is asked, because a real account would be charged for nothing new.
    """

    operation: str
    status: int
    ask: Ask
    variant: str | None = None
    keeps: Resource | None = None
    simulated: bool = False


class Finish(Struct, frozen=True):
    """Wait until a media or clip is processed."""

    operation: str
    resource: Resource
    simulated: bool = False


class SendFile(Struct, frozen=True):
    """Send a small video to the prepared upload."""


Action: TypeAlias = "Step | Finish | SendFile"

_PAGE = (("page[number]", "1"), ("page[size]", "1"))
# What each operation is asked when the answer does not depend on it; nothing is changed by any of it twice.
USUAL: dict[str, Ask] = {
    "getMedias": Ask(query=(("filter[id_eq]", "{media}"),)),
    "createMedia": Ask(attributes={"source_url": SOURCE_URL, "name": "Recorded from a URL"}),
    "getMediaById": Ask(resource="media"),
    "updateMediaById": Ask(resource="media", attributes={"name": "Renamed media", "description": "A new description"}),
    "deleteMediaById": Ask(resource="media"),
    "getClips": Ask(query=(("filter[id_eq]", "{clip}"),)),
    "createClip": Ask(attributes={"media_id": "{media}", "name": "Recorded clip", "start_time": 0.5, "end_time": 2.25}),
    "getClipById": Ask(resource="clip"),
    "updateClipById": Ask(resource="clip", attributes={"name": "Renamed clip"}),
    "deleteClipById": Ask(resource="clip"),
    "getWebhookSubscriptions": Ask(query=(("filter[id_eq]", "{subscription}"),)),
    "createWebhookSubscription": Ask(attributes={"url": HOOK_URL, "subscribed_events": ["media.processing_finished"]}),
    "getWebhookSubscriptionById": Ask(resource="subscription"),
    "deleteWebhookSubscriptionById": Ask(resource="subscription"),
    "getUploadUrl": Ask(),
}
_REFUSED: dict[str, Ask] = {
    "createMedia": Ask(attributes={"upload_id": "no-such-upload"}),
    "updateMediaById": Ask(resource="media", attributes={"name": None}, fault="The name is null."),
    "createClip": Ask(attributes={"media_id": "{media}", "name": "Beyond the end", "start_time": 0, "end_time": 86400}),
    "updateClipById": Ask(resource="clip", attributes={"end_time": 86400}),
    "createWebhookSubscription": Ask(attributes={"url": "https://hooks.example:0/contentgroove"}),
}


def _usual(operation: str, **rest: Any) -> Step:
    return Step(operation=operation, status=200, ask=USUAL[operation], **rest)


SUCCESSES: tuple[Action, ...] = (
    _usual("createWebhookSubscription", keeps="subscription"),
    _usual("getUploadUrl", keeps="upload"),
    SendFile(),
    Step(
        operation="createMedia",
        status=200,
        ask=Ask(attributes={"upload_id": "{upload}", "name": "Recorded media", "description": "Six seconds"}),
        keeps="media",
    ),
    Finish("getMediaById", "media"),
    _usual("createClip", keeps="clip"),
    Finish("getClipById", "clip"),
    _usual("createMedia", variant="url", keeps="other_media", simulated=True),
    Step(
        operation="getMediaById",
        status=200,
        variant="fresh",
        ask=Ask(resource="other_media"),
        simulated=True,
    ),
    Finish("getMediaById", "other_media", simulated=True),
    Step(
        operation="createMedia",
        status=200,
        variant="unreachable",
        ask=Ask(attributes={"source_url": UNREACHABLE_URL}),
        keeps="failing_media",
        simulated=True,
    ),
    Finish("getMediaById", "failing_media", simulated=True),
    Step(
        operation="getMediaById",
        status=200,
        variant="failed",
        ask=Ask(resource="failing_media"),
        simulated=True,
    ),
    _usual("getMediaById"),
    _usual("getMedias"),
    Step(
        operation="getMedias",
        status=200,
        variant="page",
        ask=Ask(query=(*_PAGE, ("sort", "-created_at"))),
        simulated=True,
    ),
    Step(
        operation="getMedias",
        status=200,
        variant="empty",
        ask=Ask(query=(("filter[id_eq]", UNKNOWN_ID),)),
    ),
    _usual("getClipById"),
    _usual("getClips"),
    _usual("getWebhookSubscriptionById"),
    _usual("getWebhookSubscriptions"),
    _usual("updateMediaById"),
    _usual("updateClipById"),
)
DELETIONS: tuple[Action, ...] = tuple(
    Step(operation=operation, status=204, ask=USUAL[operation])
    for operation in ("deleteClipById", "deleteWebhookSubscriptionById", "deleteMediaById")
)


def journey(contract: Contract) -> Iterator[Action]:
    """Give all that is asked; failures lie between, when there is something to fail with and nothing is gone yet.

    What the contract does not document any more is left out.
    """
    yield from (action for action in SUCCESSES if _is_documented(action, contract))
    for operation in contract.operations.values():
        if operation.name not in USUAL:
            continue
        for status in operation.statuses:
            if status >= _FIRST_FAILURE and (ask := failing_ask(operation.name, status)) is not None:
                yield Step(operation=operation.name, status=status, ask=ask)
    yield from (action for action in DELETIONS if _is_documented(action, contract))


def _is_documented(action: Action, contract: Contract) -> bool:
    if isinstance(action, Step):
        return (action.operation, action.status) in contract.answers()
    return isinstance(action, SendFile) or action.operation in contract.operations


def failing_ask(operation: str, status: int) -> Ask | None:
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
            return Ask(query=(("filter[nothing_eq]", "1"),), fault="The filter names no attribute.")
        return Ask(resource=usual.resource, text=_NOT_JSON, fault="The body is not JSON.")
    return None


def _unknown(usual: Ask) -> Ask | None:
    if usual.resource is not None:
        return Ask(resource="unknown", attributes=usual.attributes)
    if usual.attributes is not None and "media_id" in usual.attributes:
        return Ask(attributes=usual.attributes | {"media_id": UNKNOWN_ID})
    return None


def sent_texts() -> frozenset[str]:
    """Give every string that the journey sends as an attribute, so that answers may repeat it."""
    steps = [action for action in (*SUCCESSES, *DELETIONS) if isinstance(action, Step)]
    asks = [*(step.ask for step in steps), *USUAL.values(), *_REFUSED.values()]
    values = [value for ask in asks for value in (ask.attributes or {}).values()]
    return frozenset(value for value in values if isinstance(value, str) and "{" not in value)

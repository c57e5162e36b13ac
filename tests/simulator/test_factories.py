"""The factories' models are valid, take every attribute, and refuse what is none."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import Clip, DirectUpload, InvalidInputError, Media, Transcription, WebhookSubscription
from contentgroove.webhooks import MemoryInbox, WebhookReceiver, parse_event
from contentgroove_mock import factories
from contentgroove_mock.contract import Checker

if TYPE_CHECKING:
    from collections.abc import Callable

MAKERS: dict[type[Any], Callable[..., Any]] = {
    Media: factories.media,
    Clip: factories.clip,
    Transcription: factories.transcription,
    WebhookSubscription: factories.webhook_subscription,
    DirectUpload: factories.direct_upload,
}
CHECKER = Checker()


def response_problems(path: str, model: Any) -> list[Any]:
    """Check the JSON that a model was read from, as the body of a response."""
    resource = json.loads(model._source.text(None))
    document = {"data": resource} if isinstance(model, DirectUpload) else {"data": resource, "links": {"self": path}}
    headers = {"authorization": "Bearer key", "accept": "application/json"}
    found: list[Any] = CHECKER.check_call(
        method="GET",
        path=path,
        headers=headers,
        content=b"",
        status=200,
        response_headers={"content-type": "application/json"},
        response_body=json.dumps(document).encode(),
    )
    return found


RESPONSES = [
    ("/medias/m", factories.media()),
    ("/medias/m", factories.media(is_processing=True)),
    ("/clips/c", factories.clip()),
    ("/clips/c", factories.clip(is_processing=None)),
    ("/webhook_subscriptions/w", factories.webhook_subscription()),
    ("/direct_uploads", factories.direct_upload()),
]


@pytest.mark.parametrize(("path", "model"), RESPONSES)
def test_models_are_valid_responses(path: str, model: Any) -> None:
    """The contract checker finds nothing."""
    assert response_problems(path, model) == []
    assert model.missing == frozenset()


@pytest.mark.parametrize("model", MAKERS)
def test_each_attribute_can_be_passed(model: type[Any]) -> None:
    """By its name; all have a value in the default model, and a wrong one is refused."""
    make = MAKERS[model]
    default = make()
    assert default.fields_set == {"id", *model._attributes, *model._relationships}
    for name, value in default.to_dict().items():
        assert getattr(make(**{name: value}), name) == getattr(default, name)
    assert make(extra={"later": 1}).extra == {"later": 1}
    with pytest.raises(InvalidInputError, match="did you mean id"):
        make(idd="x")
    with pytest.raises(InvalidInputError, match="has no attribute zzzzzz"):
        make(zzzzzz=1)
    with pytest.raises(InvalidInputError, match="id must be a string"):
        make(id=1)


def test_models_of_unfinished_processing() -> None:
    """What only a finished one has is None, unless it is passed."""
    media = factories.media(is_processing=True, source_file_width=5)
    assert not media.is_finished
    assert (media.source_file_height, media.source_file_width) == (None, 5)
    assert factories.clip(is_processing=None).media_file_url is None
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert factories.media(created_at=moment).created_at == moment


def test_models_are_the_same_in_each_call() -> None:
    """Tests that use them are deterministic, and no call changes what another returns."""
    for make in MAKERS.values():
        assert make() == make()
    assert factories.page([factories.clip()], number=2).items == (factories.clip(),)
    assert factories.page().is_last


def test_the_event_is_what_the_service_would_send() -> None:
    """Its body is valid, links what it includes, and a receiver takes it."""
    clips = [factories.clip(), factories.clip(id="c-2", is_processing=None)]
    event = factories.media_processing_finished(
        factories.media(name="Moon", extra={"later": 1}), clips=clips, transcription=factories.transcription()
    )
    assert CHECKER.check_webhook(factories.media_processing_finished().body) == []
    assert event.media.name == "Moon"
    assert event.media.extra == {"later": 1}
    assert event.media.clip_ids == (clips[0].id, "c-2")
    assert event.media.transcription_id == factories.transcription().id
    assert event.clips == tuple(clips)
    assert event.transcription == factories.transcription()
    assert parse_event(event.body) == event
    receiver = WebhookReceiver(MemoryInbox())
    assert receiver.receive(event.body).status_code == 200
    with pytest.raises(InvalidInputError, match="not finished"):
        factories.media_processing_finished(factories.media(is_processing=None))


def test_the_event_with_everything_is_valid() -> None:
    """Clips and transcription included."""
    event = factories.media_processing_finished(clips=[factories.clip()], transcription=factories.transcription())
    assert CHECKER.check_webhook(event.body) == []

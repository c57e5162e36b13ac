"""For every recorded response as the service's response, the SDK returns its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
import respx
from contentgroove import APIError, AsyncContentGroove, ContentGroove, ContentGrooveError, Page, RateLimitError
from msgspec import structs

from tests.recorded.expected import Attributes, Expected, Failed, Listed, expected, successes
from tests.recorded.recordings import BASE_URL, CALLS, KEY, request, response, sdk_call

if TYPE_CHECKING:
    from contentgroove_mock.recording.recordings import Recording

Outcome = Any


@pytest.mark.parametrize("name", CALLS)
def test_sync(name: str) -> None:
    """The sync client sends the recorded request and returns the meaning of the response."""
    recording = CALLS[name]
    outcome: Outcome
    with respx.mock() as network, ContentGroove(KEY, BASE_URL, max_retries=0) as client:
        network.route().mock(return_value=response(recording))
        try:
            outcome = sdk_call(recording).on(client)
            outcome = next(outcome.pages(), None) if hasattr(outcome, "pages") else outcome
        except ContentGrooveError as error:
            outcome = error
        check(recording, network.calls, outcome)


@pytest.mark.anyio
@pytest.mark.parametrize("name", CALLS)
async def test_async(name: str) -> None:
    """The async client does the same."""
    recording = CALLS[name]
    outcome: Outcome
    with respx.mock() as network:
        network.route().mock(return_value=response(recording))
        async with AsyncContentGroove(KEY, BASE_URL, max_retries=0) as client:
            try:
                outcome = sdk_call(recording).on(client)
                outcome = await (anext(outcome.pages(), None) if hasattr(outcome, "pages") else outcome)
            except ContentGrooveError as error:
                outcome = error
        check(recording, network.calls, outcome)


def test_every_success_has_a_meaning() -> None:
    """The meaning of each recorded success is written down, and of nothing that is gone."""
    assert successes() == {name for name, recording in CALLS.items() if recording.status < 400}


def test_a_new_recording_needs_a_meaning() -> None:
    """A recording without a written meaning is an error, which names the file to write it down in."""
    for new in (
        structs.replace(CALLS["getMedias-200"], variant="other"),
        structs.replace(CALLS["getMedias-401"], variant="live", origin="live"),
        structs.replace(CALLS["getMedias-401"], status=409),
    ):
        with pytest.raises(LookupError, match=f"{new.name} is new: write down in tests/recorded/expected.py"):
            expected(new)


def check(recording: Recording, calls: Any, outcome: Outcome) -> None:
    """Compare the request that was sent, and the outcome of the response."""
    check_request(recording, [call.request for call in calls])
    meaning: Expected = expected(recording)
    if isinstance(meaning, Failed):
        check_failure(recording, meaning, outcome)
    elif isinstance(meaning, Listed):
        check_page(meaning, outcome)
    elif meaning is None:
        assert outcome is None
    else:
        check_model(meaning, outcome)


def check_request(recording: Recording, sent: list[httpx.Request]) -> None:
    """One request was sent, and it is the recorded one."""
    recorded = request(recording)
    (actual,) = sent
    assert (actual.method, actual.url.path) == (recorded.method, recorded.url.path)
    assert sorted(actual.url.params.multi_items()) == sorted(recorded.url.params.multi_items())
    assert actual.headers.get("content-type") == recorded.headers.get("content-type")
    if sdk_call(recording).exact and recorded.content:
        assert msgspec.json.decode(actual.content) == msgspec.json.decode(recorded.content)
    else:
        assert bool(actual.content) == bool(recorded.content)


def check_failure(recording: Recording, meaning: Failed, outcome: Outcome) -> None:
    """The error is of the class for its status, contains the service's details, and names the request."""
    assert type(outcome) is meaning.error
    assert isinstance(outcome, APIError)
    assert outcome.status_code == recording.status
    assert outcome.errors == meaning.details
    assert outcome.retryable is meaning.retryable
    if isinstance(outcome, RateLimitError):
        assert outcome.retry_after == meaning.retry_after
    assert outcome.request is not None
    assert outcome.request.method == recording.request.method
    assert outcome.request.url.startswith(BASE_URL + recording.request.path)
    assert recording.request.path in str(outcome)
    assert KEY not in f"{outcome!r}{outcome}{outcome.request}{outcome.body}"


def check_page(meaning: Listed, outcome: Outcome) -> None:
    """The page contains the items, and knows whether another one follows; an empty list has no pages."""
    if not meaning.items:
        assert outcome is None
        return
    assert isinstance(outcome, Page)
    assert outcome.number == 1
    assert outcome.is_last is meaning.is_last
    number = httpx.URL(outcome.next_link).params["page[number]"] if outcome.next_link else None
    assert number == (None if meaning.next_page is None else str(meaning.next_page))
    items: list[Any] = list(outcome.items)
    for item, attributes in zip(items, meaning.items, strict=True):
        check_model(attributes, item)


def check_model(attributes: Attributes, model: Any) -> None:
    """The model has these attributes, of these types, and no others; it knows everything that was received."""
    known = {"id", *model._attributes, *model._relationships}
    known |= {"is_finished"} if hasattr(model, "is_finished") else set()
    assert set(attributes) == known
    actual = {name: getattr(model, name) for name in attributes}
    assert actual == attributes
    assert {name: type(value) for name, value in actual.items()} == {
        name: type(value) for name, value in attributes.items()
    }
    assert model.extra == {}

"""The SDK turns every answer that the contract documents, served by Prism, into a result or a documented error."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import contentgroove
import httpx
import pytest
from contentgroove import (
    APIError,
    AsyncContentGroove,
    AuthenticationError,
    BadRequestError,
    ContentGroove,
    NotFoundError,
    OutcomeUnknownError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)

from tests.prism.conftest import KEY, NO_CERTIFICATES, SECONDS
from tests.prism.documented import ANSWERS, CALLS, DOCUMENT, Answer, Json

if TYPE_CHECKING:
    from contentgroove_mock.prism import Prism

pytestmark = [pytest.mark.anyio, pytest.mark.process]

ERRORS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: QuotaExceededError,
    404: NotFoundError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    500: ServerError,
}
MODELS = {
    "medias": ("Media", "media_response_object_data"),
    "clips": ("Clip", "clip_response_object_data"),
    "webhook_subscriptions": ("WebhookSubscription", "webhook_subscription_response_object_data"),
    "direct_uploads": ("DirectUpload", "direct_upload_response_object"),
}
GOOD = [answer for answer in ANSWERS if answer.status < 400]
BAD = [answer for answer in ANSWERS if answer.status >= 400]


def call_sync(prism: Prism, answer: Answer) -> Any:
    """Call an operation; a list gives its items."""

    def prefer(request: httpx.Request) -> None:
        request.headers["Prefer"] = f"code={answer.status}"

    with (
        httpx.Client(event_hooks={"request": [prefer]}, verify=NO_CERTIFICATES, trust_env=False) as http,
        ContentGroove(KEY, prism.base_url, timeout=SECONDS, max_retries=0, http_client=http) as client,
    ):
        result = CALLS[answer.operation](client)
        return list(result) if hasattr(result, "pages") else result


async def call_async(prism: Prism, answer: Answer) -> Any:
    """Call an operation with an async client; a list gives its items."""

    async def prefer(request: httpx.Request) -> None:
        request.headers["Prefer"] = f"code={answer.status}"

    async with (
        httpx.AsyncClient(event_hooks={"request": [prefer]}, verify=NO_CERTIFICATES, trust_env=False) as http,
        AsyncContentGroove(KEY, prism.base_url, timeout=SECONDS, max_retries=0, http_client=http) as client,
    ):
        result = CALLS[answer.operation](client)
        return [item async for item in result] if hasattr(result, "pages") else await result


def check_model(model: Any, resource: Json, group: str) -> None:
    """A model has the class of its group, and says what the example says."""
    name, component = MODELS[group]
    assert type(model) is getattr(contentgroove, name)
    assert model.id == resource["id"]
    schema = DOCUMENT["components"]["schemas"][component]["properties"]
    schema = schema.get("data", {}).get("properties", schema)
    for attribute, value in resource["attributes"].items():
        seen = getattr(model, attribute)
        if value is not None and schema["attributes"]["properties"][attribute].get("format") == "date-time":
            assert seen == dt.datetime.fromisoformat(value)
        elif isinstance(value, list):
            assert list(seen) == value
        else:
            assert seen == value


def check_result(result: Any, answer: Answer) -> None:
    """A success is the example as models; a deletion gives None."""
    if answer.schema is None:
        assert result is None
    elif isinstance(result, list):
        (item,) = answer.example["data"]
        (model,) = result
        check_model(model, item, answer.group)
    else:
        check_model(result, answer.example["data"], answer.group)


def check_error(error: APIError, answer: Answer) -> None:
    """An error is of the status's class, carries what the example says, and knows what may have happened."""
    assert isinstance(error, ERRORS[answer.status])
    assert error.status_code == answer.status
    (entry,) = answer.example["errors"]
    (detail,) = error.errors
    assert (detail.title, detail.code, detail.status) == (entry.get("title"), entry.get("code"), entry.get("status"))
    # A 401 has a message where the others have a detail.
    assert detail.detail == entry.get("detail", entry.get("message"))
    assert detail.pointer == (entry.get("source") or {}).get("pointer")
    assert isinstance(error, OutcomeUnknownError) == (answer.status == 500 and answer.method == "POST")
    assert KEY not in str(error)


@pytest.mark.parametrize("answer", GOOD, ids=str)
async def test_every_documented_success(prism: Prism, answer: Answer) -> None:
    """Each success becomes a model, several, or None, sync and async."""
    check_result(call_sync(prism, answer), answer)
    check_result(await call_async(prism, answer), answer)


@pytest.mark.parametrize("answer", BAD, ids=str)
async def test_every_documented_error(prism: Prism, answer: Answer) -> None:
    """Each error status raises its class, sync and async."""
    with pytest.raises(APIError) as caught:
        call_sync(prism, answer)
    check_error(caught.value, answer)
    with pytest.raises(APIError) as caught:
        await call_async(prism, answer)
    check_error(caught.value, answer)

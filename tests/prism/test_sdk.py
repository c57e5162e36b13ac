"""The SDK turns every response that the contract documents, served by Prism, into a result or documented error."""

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
from tests.prism.documented import CALLS, DOCUMENT, RESPONSES, Documented, Json

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
GOOD = [documented for documented in RESPONSES if documented.status < 400]
BAD = [documented for documented in RESPONSES if documented.status >= 400]


def call_sync(prism: Prism, documented: Documented) -> Any:
    """Call an operation; a list returns its items."""

    def prefer(request: httpx.Request) -> None:
        request.headers["Prefer"] = f"code={documented.status}"

    with (
        httpx.Client(event_hooks={"request": [prefer]}, verify=NO_CERTIFICATES, trust_env=False) as http,
        ContentGroove(KEY, prism.base_url, timeout=SECONDS, max_retries=0, http_client=http) as client,
    ):
        result = CALLS[documented.operation](client)
        return list(result) if hasattr(result, "pages") else result


async def call_async(prism: Prism, documented: Documented) -> Any:
    """Call an operation with an async client; a list returns its items."""

    async def prefer(request: httpx.Request) -> None:
        request.headers["Prefer"] = f"code={documented.status}"

    async with (
        httpx.AsyncClient(event_hooks={"request": [prefer]}, verify=NO_CERTIFICATES, trust_env=False) as http,
        AsyncContentGroove(KEY, prism.base_url, timeout=SECONDS, max_retries=0, http_client=http) as client,
    ):
        result = CALLS[documented.operation](client)
        return [item async for item in result] if hasattr(result, "pages") else await result


def check_model(model: Any, resource: Json, group: str) -> None:
    """A model has the class of its group, and the values of the example."""
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


def check_result(result: Any, documented: Documented) -> None:
    """A success is the example as models; a deletion returns None."""
    if documented.schema is None:
        assert result is None
    elif isinstance(result, list):
        (item,) = documented.example["data"]
        (model,) = result
        check_model(model, item, documented.group)
    else:
        check_model(result, documented.example["data"], documented.group)


def check_error(error: APIError, documented: Documented) -> None:
    """An error is of the status's class, has the example's details, and knows whether the outcome is known."""
    assert isinstance(error, ERRORS[documented.status])
    assert error.status_code == documented.status
    (entry,) = documented.example["errors"]
    (detail,) = error.errors
    assert (detail.title, detail.code, detail.status) == (entry.get("title"), entry.get("code"), entry.get("status"))
    # A 401 has a message where the others have a detail.
    assert detail.detail == entry.get("detail", entry.get("message"))
    assert detail.pointer == (entry.get("source") or {}).get("pointer")
    assert isinstance(error, OutcomeUnknownError) == (documented.status == 500 and documented.method == "POST")
    assert KEY not in str(error)


@pytest.mark.parametrize("documented", GOOD, ids=str)
async def test_every_documented_success(prism: Prism, documented: Documented) -> None:
    """Each success becomes a model, several, or None, sync and async."""
    check_result(call_sync(prism, documented), documented)
    check_result(await call_async(prism, documented), documented)


@pytest.mark.parametrize("documented", BAD, ids=str)
async def test_every_documented_error(prism: Prism, documented: Documented) -> None:
    """Each error status raises its class, sync and async."""
    with pytest.raises(APIError) as caught:
        call_sync(prism, documented)
    check_error(caught.value, documented)
    with pytest.raises(APIError) as caught:
        await call_async(prism, documented)
    check_error(caught.value, documented)

"""Every documented response of every operation, and every webhook, checked against the contract in one test run.

Together with `--contentgroove-fail-under=100` this proves that the simulator, the SDK and the checks have covered each
part of the contract: a documented response that is missing here fails the run.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import pytest
from contentgroove import ContentGroove, errors
from contentgroove.types import Pager
from contentgroove.webhooks import MediaProcessingFinished, parse_event
from contentgroove_mock import Fault

from tests.contract.exchanges import DOCUMENT
from tests.sdk_calls import CREATIONS, LISTS, SDK_METHODS

if TYPE_CHECKING:
    from contentgroove_mock import Simulator

ERRORS: dict[int, type[errors.APIError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    402: errors.QuotaExceededError,
    404: errors.NotFoundError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
    500: errors.ServerError,
}
SOURCE = "https://films.example/one.mp4"


def create_each(client: ContentGroove, simulator: Simulator) -> dict[str, str]:
    """Create one resource of each kind, and return an id of each kind by the client's attributes."""
    ids: dict[str, str] = {}
    for made in CREATIONS.values():
        ids[made.resource] = made.on(client, ids).id
        if made.resource == "medias":
            simulator.finish_media(ids["medias"])
    # A kind that cannot be created exists from the start.
    return {made.resource: next(iter(made.on(client, ids))).id for made in LISTS.values()} | ids


def call(client: ContentGroove, operation: str, ids: dict[str, str]) -> None:
    """Call an operation; a list is fetched completely."""
    result = SDK_METHODS[operation].on(client, ids, page_size=1)
    if isinstance(result, Pager):
        list(result)


def documented(*, success: bool) -> list[Any]:
    """List the documented responses by operation and status."""
    return [
        pytest.param(operation["operationId"], int(status), id=f"{operation['operationId']}-{status}")
        for item in DOCUMENT["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
        for status in operation["responses"]
        if status.startswith("2") == success
    ]


@pytest.fixture
def contentgroove_options() -> dict[str, Any]:
    return {"api_keys": ["simulated-key"]}


@pytest.fixture
def ids(contentgroove_client: ContentGroove, contentgroove_simulator: Simulator) -> dict[str, str]:
    return create_each(contentgroove_client, contentgroove_simulator)


@pytest.mark.parametrize(("operation", "status"), documented(success=True))
def test_each_success(contentgroove_client: ContentGroove, ids: dict[str, str], operation: str, status: int) -> None:
    """The call succeeds with the one documented success."""
    del status
    call(contentgroove_client, operation, ids)


@pytest.mark.parametrize(("operation", "status"), documented(success=False))
def test_each_error(
    contentgroove_client: ContentGroove,
    contentgroove_simulator: Simulator,
    ids: dict[str, str],
    operation: str,
    status: int,
) -> None:
    """The simulator rejects for the reason that the status stands for; the SDK raises the matching error."""
    client = contentgroove_client.with_options(max_retries=0)
    if status == 401:
        client = ContentGroove("unknown-key")
    elif status == 402:
        contentgroove_simulator.set_quota(medias=1, clips=1)
    elif status == 404:
        ids = dict.fromkeys(ids, "9b9a2e82-5b47-4f59-831d-4c239824b983")
    elif status == 429:
        contentgroove_simulator.set_rate_limit(0)
    else:
        # Whatever the SDK and the contract allow is valid; a rejection needs a fault.
        contentgroove_simulator.add_fault(Fault(kind="status", operation=operation, status=status))
    with client, pytest.raises(ERRORS[status]) as caught:
        call(client, operation, ids)
    assert caught.value.status_code == status
    assert caught.value.errors


class Hook(BaseHTTPRequestHandler):
    """Receives webhooks."""

    bodies: ClassVar[list[bytes]]

    def do_POST(self) -> None:
        """Receive one webhook."""
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Log nothing."""


def test_the_webhook(contentgroove_client: ContentGroove, contentgroove_simulator: Simulator) -> None:
    """It is delivered over a real socket, and matches the contract."""

    class Handler(Hook):
        bodies: ClassVar[list[bytes]] = []

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        contentgroove_client.webhook_subscriptions.create(url=f"http://127.0.0.1:{server.server_port}/hook")
        media = contentgroove_client.medias.create(source_url=SOURCE)
        contentgroove_simulator.finish_media(media.id)
        thread.join(20)
    (body,) = Handler.bodies
    event = parse_event(body)
    assert isinstance(event, MediaProcessingFinished)
    assert event.media.id == media.id


@pytest.mark.contentgroove_violations("the simulator itself must reject what the contract forbids")
@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/medias?filter[colour_eq]=x", None, 400),
        ("GET", "/clips?filter[colour_eq]=x", None, 400),
        ("GET", "/webhook_subscriptions?page[number]=0", None, 400),
        ("POST", "/medias", b"{", 400),
        ("POST", "/clips", b'{"data": {"attributes": {}}}', 422),
        ("POST", "/webhook_subscriptions", b'{"data": {"attributes": {"url": "no url"}}}', 422),
        ("PATCH", "/medias", b"{}", 405),
    ],
)
def test_what_the_contract_forbids(
    contentgroove_base_url: str, method: str, path: str, content: bytes | None, status: int
) -> None:
    """A request that violates the contract is rejected with the documented error."""
    headers = {"X-API-KEY": "simulated-key", "Content-Type": "application/json"}
    response = httpx.request(method, contentgroove_base_url + path, content=content, headers=headers)
    assert response.status_code == status
    assert response.json()["errors"]

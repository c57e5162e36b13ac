"""Each row of docs/comparison.md, tried with the generator's own output and with this package."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import (
    AuthenticationError,
    ContentGroove,
    ContentGrooveError,
    InvalidInputError,
    NotFoundError,
    ResponseDecodeError,
    ServerError,
)
from contentgroove.types import Sort
from contentgroove_mock import factories

from .blocks import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = (ROOT / "docs/comparison.md").read_text(encoding="utf-8")
BASE_URL = "https://api.test/api/v1"
KEY = "canary-comparison-key"
MEDIA = {"data": {"id": "m-1", "type": "media", "attributes": {"name": "Film", "is_processing": False}}}
PACKAGE = "stock_client"


@dataclass
class Both:
    """The stock client and this package's, which get the same responses without a network."""

    stock: Any
    ours: ContentGroove
    requests: list[httpx.Request]
    response: httpx.Response

    def call(self, operation: str, *arguments: Any, **names: Any) -> Any:
        """Call an operation of the stock client; returns its detailed response."""
        module = importlib.import_module(f"{PACKAGE}.api.default.{operation}")
        return module.sync_detailed(*arguments, client=self.stock, **names)


@pytest.fixture(scope="module")
def stock_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Generate a client of the published document with the generator's own templates."""
    folder: Path = tmp_path_factory.mktemp("stock")
    settings = folder / "generator.json"
    settings.write_text(f'{{"package_name_override": "{PACKAGE}", "post_hooks": []}}', encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", f"--path={ROOT / 'spec/openapi.yaml'}"]
    command += [f"--config={settings}", "--meta=none", f"--output-path={folder / PACKAGE}"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - the generator
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def both(stock_package: None) -> Iterator[Both]:  # noqa: ARG001 - it makes the package importable
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        made.response.request = request
        return made.response

    transport = httpx.MockTransport(respond)
    stock = importlib.import_module(f"{PACKAGE}.client").AuthenticatedClient(
        base_url=BASE_URL, token=KEY, httpx_args={"transport": transport}
    )
    with httpx.Client(transport=transport) as http_client:
        ours = ContentGroove(KEY, BASE_URL, http_client=http_client, max_retries=0)
        made = Both(stock, ours, requests, httpx.Response(200, json=MEDIA))
        yield made


def optional_fields(both: Both) -> None:
    models = importlib.import_module(f"{PACKAGE}.models")
    both.response = httpx.Response(200, json={})
    assert type(both.call("get_media_by_id", "m-1").parsed.data).__name__ == "Unset"
    assert "media_file_content_duration" in models.ClipResponseObjectDataAttributes().__dir__()
    with pytest.raises(ResponseDecodeError, match="data is absent"):
        both.ours.medias.get("m-1")
    both.response = httpx.Response(200, json={"data": {"id": "m-1", "type": "media", "attributes": {}}})
    assert "name" in both.ours.medias.get("m-1").missing
    assert factories.clip().media_file_duration == pytest.approx(38.92)


def no_timeout(both: Both) -> None:
    both.call("get_media_by_id", "m-1")
    both.ours.medias.get("m-1")
    stock, ours = [set(request.extensions["timeout"].values()) for request in both.requests]
    assert stock == {None}
    assert ours == {30.0}


def shown_key(both: Both) -> None:
    assert KEY in repr(both.stock)
    assert KEY not in repr(both.ours)


def absolute_url(both: Both) -> None:
    both.stock.get_httpx_client().get("https://elsewhere.test/")
    assert both.requests[0].url.host == "elsewhere.test"
    assert KEY in both.requests[0].headers["Authorization"]
    with pytest.raises(ContentGrooveError):
        both.ours.request("GET", "https://elsewhere.test/")
    assert len(both.requests) == 1


def page_number(both: Both) -> None:
    both.response = httpx.Response(200, json={"data": [], "links": {"self": "x"}})
    page = importlib.import_module(f"{PACKAGE}.models").GetMediasPage.from_dict({"number": 1})
    both.call("get_medias", page=page)
    list(both.ours.medias.list(page_number=1))
    stock, ours = [dict(request.url.params) for request in both.requests]
    assert stock == {"number": "1"}
    assert ours["page[number]"] == "1"


def unsafe_id(both: Both) -> None:
    both.response = httpx.Response(204)
    both.call("delete_media_by_id", "..")
    assert (both.requests[0].method, both.requests[0].url.path.rstrip("/")) == ("DELETE", "/api/v1")
    for bad in ("..", ""):
        with pytest.raises(ContentGrooveError):
            both.ours.medias.delete(bad)
    assert len(both.requests) == 1


def unusual_status(both: Both) -> None:
    both.response = httpx.Response(520)
    with pytest.raises(ValueError, match="520"):
        both.call("get_media_by_id", "m-1")
    with pytest.raises(ServerError) as raised:
        both.ours.with_options(max_retries=3).medias.get("m-1")
    assert not raised.value.retryable
    assert len(both.requests) == 2, "one of each client"


def undocumented_body(both: Both) -> None:
    both.response = httpx.Response(401, json={"errors": [{"message": "Wrong key"}]})
    assert both.call("get_media_by_id", "m-1").parsed is None
    with pytest.raises(AuthenticationError, match="Wrong key"):
        both.ours.medias.get("m-1")


def html(both: Both) -> None:
    both.response = httpx.Response(200, text="<html>")
    with pytest.raises(ValueError, match="Expecting value"):
        both.call("get_media_by_id", "m-1")
    with pytest.raises(ContentGrooveError, match=r"GET https://api\.test/api/v1/medias/m-1"):
        both.ours.medias.get("m-1")


def new_sort_order(both: Both) -> None:
    with pytest.raises(ValueError, match="rank"):
        importlib.import_module(f"{PACKAGE}.models").GetMediasSort("rank")
    both.response = httpx.Response(200, json={"data": [], "links": {"self": "x"}})
    with pytest.raises(InvalidInputError, match="-created_at"):
        both.ours.medias.list(sort="rank")  # type: ignore[arg-type]  # type checkers know the documented ones
    assert both.requests == []
    list(both.ours.medias.list(sort=Sort("rank")))
    assert both.requests[0].url.params["sort"] == "rank"


def numbers_as_text(both: Both) -> None:
    media = {**MEDIA["data"], "attributes": {"name": "Film", "is_processing": False, "source_file_duration": "12.5"}}
    both.response = httpx.Response(200, json={"data": media})
    assert both.call("get_media_by_id", "m-1").parsed.data.attributes.source_file_duration == "12.5"
    assert both.ours.medias.get("m-1").source_file_duration == 12.5


def errors(both: Both) -> None:
    both.response = httpx.Response(429, json={"errors": [{"title": "Too many requests"}]})
    assert type(both.call("get_media_by_id", "m-1").parsed).__name__ == "TooManyRequestsErrorResponseObject"
    both.response = httpx.Response(404)
    assert both.call("get_media_by_id", "m-1").parsed is None
    with pytest.raises(NotFoundError):
        both.ours.medias.get("m-1")


def flows(both: Both) -> None:
    folder = Path(importlib.import_module(f"{PACKAGE}.api.default").__path__[0])
    functions = {name for module in folder.glob("*.py") for name in re.findall(r"def (\w+)", module.read_text("utf-8"))}
    assert functions == {
        "_get_kwargs", "_parse_response", "_build_response", "sync_detailed", "sync", "asyncio_detailed", "asyncio",
    }  # fmt: skip
    both.ours.medias.wait("m-1")
    assert len(both.requests) == 1


ROWS: dict[str, Callable[[Both], None]] = {
    "a response without the documented fields": optional_fields,
    "the service does not respond": no_timeout,
    "`repr(client)`": shown_key,
    "an absolute URL in a request": absolute_url,
    "`page.number=1` of a list": page_number,
    "an id such as `..` or an empty one": unsafe_id,
    "status 520": unusual_status,
    "a 401 without a documented body": undocumented_body,
    "HTML instead of JSON": html,
    "a sort order that the document does not list": new_sort_order,
    "numbers that come as text": numbers_as_text,
    "errors": errors,
    "paging, uploads, waiting, webhooks": flows,
}


@pytest.mark.process
@pytest.mark.parametrize("row", ROWS)
def test_row(row: str, both: Both) -> None:
    """What the page says of a situation is what happens in it."""
    ROWS[row](both)


def test_every_row_is_tried() -> None:
    """The page's table has the rows that are tried here, and names the version that was tried."""
    rows = [line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| ")]
    assert rows == ["situation", *ROWS]
    assert importlib.metadata.version("openapi-python-client") in PAGE

"""HTTP clients that an application passes in: what they are used for, and what is never sent by them."""

from __future__ import annotations

import logging
import pickle
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import AsyncContentGroove, ConfigurationError, ContentGroove

from .conftest import BASE, KEY, media_json, one
from .test_uploads import Api, Store, video

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import FakeClock, Maker


def kind_of(make: Maker) -> Any:
    return httpx.Client if make.kind == "sync" else httpx.AsyncClient


def close(make: Maker, client: Any) -> None:
    if make.kind == "sync":
        client.close()
    else:
        make.loop.run_until_complete(client.aclose())


@pytest.mark.parametrize("which", ["http_client", "upload_http_client"])
def test_one_that_is_closed_is_said_to_be(make: Maker, clock: FakeClock, tmp_path: Path, which: str) -> None:
    """Not a broken connection that is tried again, nor, for a POST, an unknown outcome."""
    own = kind_of(make)()
    close(make, own)
    client = make(None if which == "http_client" else Api(), **{which: own})
    with pytest.raises(ConfigurationError, match=r"is closed.*Nothing was sent"):
        client.medias.upload(video(tmp_path))
    with pytest.raises(ConfigurationError, match="is closed") if which == "http_client" else nullcontext():
        client.medias.create(source_url="https://films.example/a.mp4")
    assert clock.sleeps == []


def test_its_own_credentials_stay_away_from_the_store(make: Maker, tmp_path: Path) -> None:
    """A store refuses a second way to authenticate; at the API, the application's `auth` has the last word."""
    seen: list[httpx.Request] = []
    api, store = Api(), Store()

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return store(request) if request.method == "PUT" else api(request)

    own = kind_of(make)(transport=httpx.MockTransport(handler), auth=("user", "word"))
    make.opened.append(own)
    make(http_client=own, upload_http_client=own).medias.upload(video(tmp_path))
    assert [request.headers.get("Authorization", "none").split()[0] for request in seen] == ["Basic", "none", "Basic"]


def test_what_http2_logs_of_headers_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """The library below writes each header down as it is, and the whole block as it is encoded."""
    ContentGroove(KEY, BASE).close()
    caplog.set_level(logging.DEBUG)
    for name in ("hpack.hpack", "hpack.table"):
        logging.getLogger(name).debug("Adding %s=%s to the header table", b"x-api-key", KEY.encode())
    assert KEY not in caplog.text


def test_what_holds_the_key_is_not_pickled() -> None:
    """A raw response in a cache would keep the key there; models hold none."""
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _request: one(media_json()))) as own,
        ContentGroove(KEY, BASE, http_client=own) as client,
    ):
        raw = client.medias.with_raw_response.get("m-1")
    for item in (raw, client, AsyncContentGroove(KEY, BASE)):
        with pytest.raises(TypeError, match="API key"):
            pickle.dumps(item)
    media = raw.parse()
    assert pickle.loads(pickle.dumps(media)) == media  # noqa: S301 - made here

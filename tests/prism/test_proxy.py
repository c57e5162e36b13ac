"""Prism checks a service against the contract."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from wsgiref.simple_server import make_server

import httpx
import pytest
from contentgroove_mock.prism import Prism

from tests.prism.conftest import KEY, SECONDS
from tests.prism.documented import CONTRACT, Json
from tests.prism.test_mock import QuietHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable


@contextmanager
def service(answer: object) -> Generator[str]:
    """Serve one answer to everything; gives the base URL."""
    content = json.dumps(answer).encode()

    def application(environ: Json, start: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
        del environ
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    with make_server("127.0.0.1", 0, application, handler_class=QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api/v1"
        finally:
            server.shutdown()
            thread.join()


def test_an_answer_that_breaks_the_contract_is_told() -> None:
    """A list without its data becomes a 500 that names the violation; the log shows no key."""
    with service({"links": {}}) as upstream, Prism.proxy(CONTRACT, upstream) as prism:
        response = httpx.get(
            f"{prism.base_url}/medias",
            params={"api_key": KEY},
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=SECONDS,
            trust_env=False,
        )
    assert response.status_code == 500
    assert "data" in response.headers["sl-violations"]
    assert "api_key=[redacted]" in prism.log
    assert KEY not in prism.log


@pytest.mark.parametrize(
    "upstream",
    ["", "api.example.com", "ftp://127.0.0.1/", "http://api.example.com/api/v1", "https://user:word@api.example.com/"],
)
def test_upstreams_that_would_leak_or_cannot_work(upstream: str) -> None:
    """Only https, or http to this machine, and no password in the message."""
    with pytest.raises(ValueError, match=r"base URL|https") as caught:
        Prism.proxy(CONTRACT, upstream)
    assert "word" not in str(caught.value)

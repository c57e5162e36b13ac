"""Prism checks a service against the contract."""

from __future__ import annotations

import pytest
from contentgroove_mock import Prism

from tests.prism.conftest import KEY, Proxied
from tests.prism.documented import CONTRACT
from tests.prism.upstream import Canned


def test_an_answer_that_breaks_the_contract_is_told(proxied: Proxied) -> None:
    """A list without its data becomes a 500 that names the violation; the log shows no key."""
    answer = Canned(200, {"Content-Type": "application/json"}, b'{"links": {}}')
    response = proxied.answered_with(answer, "GET", f"/medias?api_key={KEY}")
    assert response.status_code == 500
    assert "data" in response.headers["sl-violations"]
    assert "api_key=[redacted]" in proxied.prism.log
    assert KEY not in proxied.prism.log


@pytest.mark.parametrize(
    "upstream",
    ["", "api.example.com", "ftp://127.0.0.1/", "http://api.example.com/api/v1", "https://user:word@api.example.com/"],
)
def test_upstreams_that_would_leak_or_cannot_work(upstream: str) -> None:
    """Only https, or http to this machine, and no password in the message."""
    with pytest.raises(ValueError, match=r"base URL|https") as caught:
        Prism.proxy(CONTRACT, upstream)
    assert "word" not in str(caught.value)

"""Reports contain what proves a refutation, and nothing that is a credential or belongs to a person."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from contentgroove._core.secret import Secret
from contentgroove.verification.exchanges import Exchange
from contentgroove.verification.report import report, scrub, scrub_url
from contentgroove.verification.run import Result

from tests.verification.service import KEY, LEDGER, served
from tests.verification.turned import RULES

NOW = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=dt.UTC)
SIGNED = "https://store.example/film.mp4?X-Amz-Signature=canary-signature"


def reported(*results: Result, secrets: tuple[str, ...] = (KEY,)) -> dict[str, Any]:
    """Return a report."""
    return report(
        results,
        LEDGER,
        base_url="https://user:canary-password@service.example/api/v1",
        secrets=[Secret(secret) for secret in secrets],
        left=["/medias/1"],
        now=NOW,
    )


def exchange(**changed: Any) -> Exchange:
    """Return an exchange with private parts everywhere."""
    body = {
        "data": {
            "id": "9b9a2e82-5b47-4f59-831d-4c239824b983",
            "type": "medias",
            "attributes": {
                "name": "Ann Smith's birthday",
                "description": f"Call 555-1234, {KEY}",
                "source_url": SIGNED,
                "source_file_duration": 6.5,
                "source_file_content_type": "video/mp4",
                "created_at": "2025-10-15T13:51:02.559Z",
                "is_processing": None,
            },
        },
        "links": {"self": "http://service.example/api/v1/medias?page[number]=2&filter[name_eq]=Ann"},
        "errors": [{"status": "422", "detail": f"Name is wrong: {SIGNED}", "extra": "Ann"}],
    }
    headers = {"content-type": "application/json", "set-cookie": "canary-cookie", "x-owner": "Ann"}
    values: dict[str, Any] = {
        "method": "POST",
        "url": "/medias/9b9a2e82-5b47-4f59-831d-4c239824b983?filter[name_eq]=Ann&page[size]=1",
        "sent": {"Content-Type": "application/json", "X-Private": "Ann"},
        "body": json.dumps({"data": {"attributes": {"name": "Ann", "upload_id": "canary-upload"}}}).encode(),
        "status": 422,
        "headers": headers,
        "content": json.dumps(body).encode(),
    }
    return Exchange(**{**values, **changed})


def test_a_refutation_is_shown_with_its_exchange() -> None:
    """Numbers, types, statuses and the form of times and URLs stay; texts, ids and credentials do not."""
    document = reported(Result("page-zero", "refuted", "It is so.", (exchange(),)))
    found = document["results"][0]
    assert found["exchanges"] == [
        {
            "request": {
                "method": "POST",
                "url": "/medias/(id)?filter[name_eq]=(3 characters)&page[size]=1",
                "headers": {"Content-Type": "application/json"},
                "body": {"data": {"attributes": {"name": "(3 characters)", "upload_id": "(13 characters)"}}},
            },
            "response": {
                "status": 422,
                "headers": {"content-type": "application/json"},
                "body": {
                    "data": {
                        "id": "(id)",
                        "type": "medias",
                        "attributes": {
                            "name": "(20 characters)",
                            "description": "(39 characters)",
                            "source_url": "(https URL)",
                            "source_file_duration": 6.5,
                            "source_file_content_type": "video/mp4",
                            "created_at": "0000-00-00T00:00:00.000Z",
                            "is_processing": None,
                        },
                    },
                    "links": {"self": "/api/v1/medias?page[number]=2&filter[name_eq]=(3 characters)"},
                    "errors": [
                        {
                            "status": "422",
                            "detail": "Name is wrong: https://store.example/film.mp4?X-Amz-Signature=[redacted]",
                            "extra": "(3 characters)",
                        }
                    ],
                },
            },
        }
    ]
    assert found["if_wrong"] == LEDGER["page-zero"].if_wrong
    text = json.dumps(document)
    assert "Ann" not in text
    assert "canary" not in text
    assert document["date"] == "2026-03-01T12:00:00Z"
    assert document["counts"] == {"confirmed": 0, "refuted": 1, "not tried": 0}
    assert document["left"] == ["/medias/1"]


def test_other_verdicts_have_no_exchanges() -> None:
    """What is confirmed needs no proof."""
    document = reported(Result("page-zero", "confirmed", "It is so.", (exchange(),)))
    assert document["results"] == [
        {"id": "page-zero", "verdict": "confirmed", "seen": "It is so.", "statement": LEDGER["page-zero"].statement}
    ]


def test_an_echoed_key_is_removed_wherever_it_is() -> None:
    """Also where nothing private is expected, and written in another way."""
    content = json.dumps({"errors": [{"title": f"No: {KEY}"}], f"a{KEY}": 1, "type": KEY}).encode()
    document = reported(Result("page-zero", "refuted", f"It is {KEY}.", (exchange(content=content),)))
    assert KEY not in json.dumps(document)


def test_no_part_of_an_echoed_key_stays() -> None:
    """A long text is cut only after the key was removed from it."""
    for length in range(380, 401):
        text = "x" * length + KEY
        content = json.dumps({"errors": [{"title": text}]}).encode()
        shown = json.dumps(reported(Result("page-zero", "refuted", text, (exchange(content=content),))))
        assert f"x{KEY[:3]}" not in shown


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", None),
        (b"<Error>canary</Error>", "(21 bytes)"),
        (b"[" * 9999, "(9999 bytes)"),
        (b"[1, 2, 3, 4, 5]", [1, 2, 3, "(2 more)"]),
    ],
)
def test_other_bodies(content: bytes, shown: object) -> None:
    """What is not JSON is shown by its length, long lists by their beginning."""
    document = reported(Result("page-zero", "refuted", "It is so.", (exchange(content=content),)))
    assert document["results"][0]["exchanges"][0]["response"]["body"] == shown


def test_urls_keep_their_form() -> None:
    """Those of other hosts are only named."""
    assert scrub_url(SIGNED) == "(https URL)"
    assert scrub_url("/medias?page[size]=1&sort=-a&api_key=x") == "/medias?page[size]=1&sort=-a&api_key=(1 characters)"
    assert scrub("https://store.example/?a=b", "name") == "(https URL)"
    token = "https://store.example/api/files/eyJ0b2tlbiI6MX0/film?X-Amz-Signature=abc"
    assert scrub_url(token) == "/api/files/(15 characters)/film?X-Amz-Signature=(3 characters)"
    assert scrub_url("/medias/12?page[number]=2") == "/medias/12?page[number]=2"


@pytest.mark.slow
@pytest.mark.parametrize("identifier", ["upload-url-week", "description-verbatim", "webhook-keeps-query"])
def test_no_real_refutation_shows_a_credential(identifier: str) -> None:
    """Neither the key, nor a signature, nor the token of a subscription."""
    from tests.verification.proxy import plain
    from tests.verification.turned import WEBHOOKS

    with served(RULES.get(identifier, plain), WEBHOOKS.get(identifier), subscriptions=None) as service:
        results = service.run([identifier], service.writing())
        document = reported(*results.values(), secrets=(KEY, service.callback_url.reveal()))
    assert document["counts"]["refuted"] == 1
    text = json.dumps(document)
    assert not [word for word in (KEY, "canary-token", "X-Amz-Signature=", "eyJ") if word in text]
    assert "exchanges" in document["results"][0]

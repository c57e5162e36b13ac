"""Services of kinds that exist elsewhere: which entries they refute, and that what conforms refutes nothing.

`turned.py` has one service for each entry; these differ from the simulator in the way of a framework, so that several
entries may be wrong at once, or none.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.verification.proxy import (
    API,
    Request,
    Response,
    error,
    on_attributes,
    on_request,
    on_resources,
    on_response,
    refusing,
    with_query,
    with_status,
)
from tests.verification.service import CHECKABLE, READING, served, verdicts
from tests.verification.turned import akin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.verification.proxy import Rule

pytestmark = pytest.mark.slow


def _renamed(old: str, new: str) -> Rule:
    """Treat a filter as another."""
    return with_query(lambda name, value: (name.replace(f"[{old}]", f"[{new}]"), value))


def _by_plain_comparison(request: Request) -> Request:
    """Filter as a service does that strips nothing and drops nothing."""
    query = [
        (name, f"{value}." if name.startswith("filter[") and value != value.strip() else value or f"{name}.")
        for name, value in request.query
    ]
    return replace(request, query=tuple(query))


def _from_0(request: Request) -> Request:
    query = [
        (name, str(int(value) + 1) if name == "page[number]" and value.isdigit() else value)
        for name, value in request.query
    ]
    return replace(request, query=tuple(query))


def _only_last(pattern: str) -> Rule:
    def change(request: Request) -> Request:
        matching = [pair for pair in request.query if re.fullmatch(pattern, pair[0])]
        return replace(request, query=tuple(pair for pair in request.query if pair not in matching[:-1]))

    return on_request(change)


def _with_status_of(path: str, status: int, body: bytes, content_type: str = "application/json") -> Rule:
    def change(request: Request, response: Response) -> Response:
        if response.status == status and re.fullmatch(API + path, request.path):
            return Response(status, {"content-type": content_type}, body)
        return response

    return on_response(change)


def _camel_case(request: Request) -> Request:
    query = [
        (name, value.replace("createdAt", "created_at") if name == "sort" else value) for name, value in request.query
    ]
    return replace(request, query=tuple(query))


def _size(request: Request) -> Request:
    query = [("page[size]" if name == "size" else name, value) for name, value in request.query]
    return replace(request, query=tuple(query))


def _texts(item: dict[str, Any]) -> None:
    for name, value in item["attributes"].items():
        if isinstance(value, float):
            item["attributes"][name] = str(value)


def _gone() -> Rule:
    gone: set[str] = set()

    def change(request: Request, response: Response) -> Response:
        if request.method == "DELETE" and response.status == 204:
            gone.add(request.path)
        return error(410) if request.path in gone and response.status == 404 else response

    return on_response(change)


def _encoded_links(_: Request, response: Response) -> Response:
    document = response.json
    if isinstance(document, dict) and "links" in document:
        links = {name: link and quote(link, safe=":/?=&%") for name, link in document["links"].items()}
        return response.with_json({**document, "links": links})
    return response


def _more_members(_: Request, response: Response) -> Response:
    document = response.json
    if not isinstance(document, dict):
        return response
    for item in document["data"] if isinstance(document.get("data"), list) else []:
        item["attributes"]["new_attribute"] = {"of": ["later"]}
        item["meta"] = {"new": True}
    headers = {**response.headers, "content-type": "application/json; charset=utf-8"}
    return replace(response.with_json({**document, "jsonapi": {"version": "1.0"}, "meta": {}}), headers=headers)


def _shorter(item: dict[str, Any]) -> None:
    item["attributes"]["end_char"] += 1


def _without_first(item: dict[str, Any]) -> None:
    if item["attributes"]["rank"] is not None:
        item["attributes"]["rank"] *= 2


def _failed(item: dict[str, Any]) -> None:
    attributes = item["attributes"]
    if attributes["is_processing"] is False:
        names = ("duration", "content_type", "height", "width", "preview_image_url")
        attributes.update({f"source_file_{name}": None for name in names}, has_fetch_error=True)


def _elsewhere(request: Request, response: Response) -> Response:
    if not request.path.startswith("/_files/") or request.query:
        return response
    return Response(302, {"location": f"{request.path}?elsewhere=1"})


def _needs_payment(path: str) -> Rule:
    return refusing(lambda request: request.method == "POST" and request.path == API + path, 402)


DEVIATIONS: dict[str, tuple[Rule, set[str]]] = {
    "filters by plain comparison": (on_request(_by_plain_comparison), {"filter-stripped", "filter-blank-dropped"}),
    "_eq like _cont": (_renamed("name_eq", "name_cont"), {"filter-eq"}),
    "_start like _cont": (_renamed("name_start", "name_cont"), {"filter-start"}),
    "_cont like _start": (_renamed("name_cont", "name_start"), {"filter-cont"}),
    "the last filter counts": (_only_last(r"filter\[\w+\]"), {"filter-and"}),
    "the last value of a list counts": (_only_last(r"filter\[\w+\]\[\]"), {"filter-in", "filter-any"}),
    "_or of the first attribute": (_renamed("name_or_id_eq", "name_eq"), {"filter-or"}),
    "_or of the last attribute": (_renamed("name_or_id_eq", "id_eq"), {"filter-or"}),
    "at most 25 items": (
        with_query(lambda name, value: (name, str(min(25, int(value))) if name == "page[size]" else value)),
        {"page-size-capped"},
    ),
    "pages from 0": (on_request(_from_0), {"page-number", "page-zero"}),
    "sorting in camel case": (on_request(_camel_case), {"sort-unknown-ignored"}),
    "a parameter size": (on_request(_size), {"parameter-unknown-ignored"}),
    "decimals as texts": (on_resources("clips", _texts), {"rest-numbers"}),
    "a page of Rails for 404": (_with_status_of(r"/.*", 404, b"<h1>Not found</h1>", "text/html"), {"error-404"}),
    "a hash of errors": (_with_status_of(r"/.*", 422, b'{"errors": {"name": ["is blank"]}}'), {"error-422"}),
    "403 for what does not exist": (
        with_status(lambda request, response: request.method == "GET" and response.status == 404, 403),
        {"error-404", "deleted-is-gone", "media-deletes-clips"},
    ),
    "401 for what does not exist": (
        with_status(lambda request, response: request.method == "GET" and response.status == 404, 401),
        {"error-404", "deleted-is-gone", "media-deletes-clips"},
    ),
    "410 for what was deleted": (_gone(), {"deleted-is-gone", "delete-again-404"}),
    "a state that is false from the beginning": (
        on_attributes("medias", is_processing=lambda state: state or False),
        {"processing-null-first", "processing-false-last"},
    ),
    "blanks stripped": (
        on_attributes("medias", description=lambda text: text and text.strip()),
        {"description-verbatim"},
    ),
    "markup escaped": (
        on_attributes("medias", description=lambda text: text and text.replace("<", "&lt;")),
        {"description-verbatim"},
    ),
    "a name from the file": (on_attributes("medias", name=lambda name: name or "film.mp4"), {"media-name-empty"}),
    "URLs with another host": (
        on_attributes("webhook_subscriptions", url=lambda url: url.replace("127.0.0.1", "localhost")),
        {"subscription-url-verbatim"},
    ),
    "encoded links": (on_response(_encoded_links), set()),
    "more members than known": (on_response(_more_members), set()),
    "texts without the blank at their end": (on_resources("clips", _shorter), set()),
    "ranks with gaps": (on_resources("clips", _without_first), set()),
    "a sample that cannot be processed": (on_resources("medias", _failed, "GET", "/medias/.+"), set()),
    "no payment for medias": (_needs_payment("/medias"), set()),
    "no payment for clips": (_needs_payment("/clips"), set()),
    "a key that may only read": (refusing(lambda request: request.method != "GET" and API in request.path, 403), set()),
    "files that are elsewhere": (on_response(_elsewhere), set()),
}
"""Services, and the entries that are wrong there."""


@pytest.mark.parametrize("name", DEVIATIONS)
def test_a_service_of_another_kind(name: str) -> None:
    """Exactly what is wrong is refuted, and nothing is left; `python -m tests.verification` checks all others, too."""
    _, wrong = DEVIATIONS[name]
    akin_to_wrong = {other for identifier in wrong for other in akin(identifier)}
    found = refuted_by(name, READING if wrong and wrong <= {*READING} else akin_to_wrong or CHECKABLE)
    assert found.keys() == wrong, found


def refuted_by(name: str, identifiers: Iterable[str]) -> dict[str, str]:
    """Check entries against a service, and return what was seen of those that are refuted, by id."""
    with served(DEVIATIONS[name][0], subscriptions=26) as service:
        before = service.counts()
        results = service.run(identifiers, service.writing())
        assert service.counts() == before
    # Without a single confirmation, the service would be one that nothing can be said about.
    assert verdicts(results, "confirmed")
    return {identifier: results[identifier].seen for identifier in verdicts(results, "refuted")}

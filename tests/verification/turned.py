"""A service for each entry of the ledger that can be checked, in which that entry alone is wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from contentgroove.verification.checks import UNKNOWN_ID
from contentgroove_mock import Policy

from tests.verification.proxy import (
    API,
    DeliveryRule,
    Forward,
    Request,
    Response,
    Rule,
    delivery,
    error,
    on_attributes,
    on_request,
    on_resources,
    on_response,
    refusing,
    with_query,
    with_status,
    without_query,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

SPEECH = frozenset({"clips-suggested", "webhook-included"})
"""Entries that only a file with speech can refute."""

MEDIA_ID = API + r"/medias/[^/]+"


def _is(method: str, path: str) -> Callable[[Request], bool]:
    return lambda request: request.method == method and re.fullmatch(API + path, request.path) is not None


_POST_MEDIA, _POST_CLIP = _is("POST", "/medias"), _is("POST", "/clips")


def _put(request: Request) -> bool:
    return request.method == "PUT" and request.path.startswith("/_uploads/")


# --- Keys, responses --------------------------------------------------------------------------------------------------


def _repeat_key(request: Request, response: Response) -> Response:
    document = response.json
    if request.value("api_key") is None:
        return response
    document["links"]["self"] += "&api_key=shown"
    return response.with_json(document)


def _prefixed_ids() -> Rule:
    uuid = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    async def rule(request: Request, forward: Forward) -> Response:
        def restore(text: str) -> str:
            return re.sub(rf"x-({uuid.decode()})", r"\1", text)

        query = tuple((name, restore(value)) for name, value in request.query)
        body = restore(request.body.decode()).encode() if request.json is not None else request.body
        response = await forward(replace(request, path=restore(request.path), query=query, body=body))
        return replace(response, body=re.sub(rb"(" + uuid + rb")", rb"x-\1", response.body))

    return rule


def _without_self(_: Request, response: Response) -> Response:
    document = response.json
    if isinstance(document, dict) and "links" in document:
        document["links"].pop("self", None)
        return response.with_json(document)
    return response


def _rename(item: dict[str, Any]) -> None:
    item["attributes"]["media_file_content_duration"] = item["attributes"].pop("media_file_duration")


KEYS_AND_RESPONSES: dict[str, Rule] = {
    "key-bearer": refusing(lambda request: request.headers.get("authorization", "").startswith("Bearer "), 401),
    "key-header": refusing(lambda request: "x-api-key" in request.headers, 401),
    "key-bare": refusing(lambda request: len(request.headers.get("authorization", "").split()) == 1, 401),
    "key-query": refusing(lambda request: request.value("api_key"), 401),
    "links-hide-key": on_response(_repeat_key),
    "key-missing": with_status(lambda _, response: response.status == 401, 403),
    "error-401": on_response(
        lambda _, response: response.with_json({"error": "no"}) if response.status == 401 else response
    ),
    "content-type-json": on_response(
        lambda _, response: replace(response, headers={**response.headers, "content-type": "application/vnd.api+json"})
    ),
    "date-header": on_response(
        lambda _, response: replace(
            response, headers={name: value for name, value in response.headers.items() if name != "date"}
        )
    ),
    "error-404": on_response(
        lambda _, response: response.with_json({"error": "no"}) if response.status == 404 else response
    ),
    "ids-uuid": _prefixed_ids(),
    "resource-types": on_resources("medias", lambda item: item.update(type="media")),
    "times-utc": on_response(
        lambda _, response: replace(response, body=re.sub(rb'(T[\d:]{8})\.\d{3}Z"', rb'\1+00:00"', response.body))
    ),
    "rest-numbers": on_attributes("clips", start_time=str, end_time=str),
    "attributes-present": on_resources("medias", lambda item: item["attributes"].pop("source_created_at")),
    "clip-duration-name": on_resources("clips", _rename),
    "relationships-present": on_resources("medias", lambda item: item["relationships"].pop("clips")),
    "links-self": on_response(_without_self),
    "list-omits-transcription": on_resources(
        "medias", lambda item: item["relationships"].update(transcription={"data": None}), "GET", "/medias"
    ),
    "media-names-transcription": on_resources(
        "medias", lambda item: item["relationships"].pop("transcription"), "GET", "/medias/.*"
    ),
    "rank-from-0": on_attributes("clips", rank=lambda rank: None if rank is None else rank + 1),
    "clip-chars": on_attributes("clips", end_char=lambda end: end + 10),
}

# --- Lists ------------------------------------------------------------------------------------------------------------


def _on_links(change: Callable[[dict[str, Any]], object]) -> Rule:
    def changed(_: Request, response: Response) -> Response:
        document = response.json
        if not isinstance(document, dict) or not isinstance(document.get("data"), list):
            return response
        change(document["links"])
        return response.with_json(document)

    return on_response(changed)


def _smaller_page(request: Request) -> Request:
    if request.method == "GET" and request.value("page[size]") is None:
        return replace(request, query=(*request.query, ("page[size]", "20")))
    return request


def _newest_first(request: Request) -> Request:
    is_list = request.method == "GET" and request.path.count("/") == 3 and "/direct_uploads" not in request.path
    if not is_list or request.value("sort") in {"created_at", "-created_at"}:
        return request
    others = [pair for pair in request.query if pair[0] != "sort"]
    return replace(request, query=(*others, ("sort", "-created_at")))


def _reversed() -> Rule:
    """Sort the other way round, with links that say what was asked for."""
    opposite = {"created_at": "-created_at", "-created_at": "created_at"}

    async def rule(request: Request, forward: Forward) -> Response:
        asked = request.value("sort") or ""
        if asked not in opposite:
            return await forward(request)
        other = opposite[asked]
        query = tuple((name, other if name == "sort" else value) for name, value in request.query)
        response = await forward(replace(request, query=query))
        return replace(response, body=response.body.replace(f"sort={other}".encode(), f"sort={asked}".encode()))

    return rule


def _uncapped() -> Rule:
    """Return pages of any size, put together from those of the simulator."""

    async def rule(request: Request, forward: Forward) -> Response:
        size, number = request.value("page[size]") or "", request.value("page[number]") or "1"
        if not size.isdecimal() or int(size) <= Policy().max_page_size or not number.isdecimal():
            return await forward(request)
        rest = [pair for pair in request.query if pair[0] not in {"page[size]", "page[number]"}]
        items: list[Any] = []
        page = 0
        while True:
            page += 1
            query = (*rest, ("page[size]", str(Policy().max_page_size)), ("page[number]", str(page)))
            response = await forward(replace(request, query=query))
            document = response.json
            if response.status != 200:
                return response
            items += document["data"]
            if document["links"]["next"] is None:
                begin = (int(number) - 1) * int(size)
                return response.with_json({**document, "data": items[begin : begin + int(size)]})

    return rule


LISTS: dict[str, Rule] = {
    "page-size": without_query(r"page\[size\]"),
    "page-number": without_query(r"page\[number\]"),
    "subscriptions-paged": on_request(
        lambda request: (
            replace(request, query=tuple(pair for pair in request.query if not pair[0].startswith("page")))
            if request.path.endswith("/webhook_subscriptions")
            else request
        )
    ),
    "page-default-size": on_request(_smaller_page),
    "page-size-capped": _uncapped(),
    "page-beyond-end": refusing(lambda request: len(request.value("page[number]") or "") > 4, 404),
    "page-zero": with_query(lambda name, value: (name, "1" if (name, value) == ("page[number]", "0") else value)),
    "page-not-number": with_query(
        lambda name, value: (name, "1" if (name, value) in {("page[number]", "two"), ("page[size]", "0")} else value)
    ),
    "page-unknown-ignored": refusing(lambda request: request.value("page[offset]"), 400),
    "links-next": _on_links(
        lambda links: links.update(next=links["next"] and links["next"].replace("page[number]=2", "page[number]=3"))
    ),
    "links-next-null": _on_links(lambda links: links["next"] is None and links.pop("next")),
    "links-keep-query": _on_links(
        lambda links: links.update(next=links["next"] and re.sub(r"\?.*(?=page\[number\])", "?", links["next"]))
    ),
    "links-current": _on_links(lambda links: links.pop("current")),
    "order-default": on_request(_newest_first),
    "sort-order": _reversed(),
    "sort-unknown-ignored": refusing(lambda request: request.value("sort") == "-createdAt", 400),
    "parameter-unknown-ignored": refusing(lambda request: request.value("size"), 400),
}

# --- Filters ----------------------------------------------------------------------------------------------------------


def _filters(request: Request) -> list[tuple[str, str]]:
    return [pair for pair in request.query if pair[0].startswith("filter[")]


def _only_first_of_several(request: Request) -> Request:
    names = list(dict.fromkeys(name for name, _ in _filters(request)))
    return replace(request, query=tuple(pair for pair in request.query if pair[0] not in names[1:]))


def _only_last_value(request: Request) -> Request:
    values = [pair for pair in request.query if pair[0] == "filter[id_in][]"]
    return replace(request, query=tuple(pair for pair in request.query if pair not in values[:-1]))


def _nulls_differ() -> Rule:
    async def rule(request: Request, forward: Forward) -> Response:
        value = request.value("filter[source_url_not_eq]")
        if value is None:
            return await forward(request)
        response = await forward(replace(request, query=()))
        document = response.json
        document["data"] = [item for item in document["data"] if item["attributes"]["source_url"] != value]
        return response.with_json(document)

    return rule


def _by_case() -> Rule:
    """Distinguish case where parts of names are looked for."""

    async def rule(request: Request, forward: Forward) -> Response:
        response = await forward(request)
        value = request.value("filter[name_cont]")
        if value is None or not response.json.get("data"):
            return response
        document = response.json
        document["data"] = [item for item in document["data"] if value in (item["attributes"].get("name") or "")]
        return response.with_json(document)

    return rule


def _with_blanks(name: str, value: str) -> tuple[str, str]:
    """Let blanks around a value count, so that nothing has it."""
    counts = name.startswith("filter[") and not name.endswith("[]") and value.strip() and value != value.strip()
    return (name, f"no {value}") if counts else (name, value)


FILTERS: dict[str, Rule] = {
    **{
        identifier: without_query(pattern)
        for identifier, pattern in {
            "filter-eq": r"filter\[name_eq\]",
            "filter-by-id": r"filter\[id_eq\]",
            "filter-media-id": r"filter\[media_id_eq\]",
            "filter-cont": r"filter\[name_cont\]",
            "filter-start": r"filter\[name_start\]",
            "filter-end": r"filter\[name_end\]",
            "filter-not": r"filter\[name_not_cont\]",
            "filter-matches": r"filter\[name_matches\]",
            "filter-i-cont": r"filter\[name_i_cont\]",
            "filter-or": r"filter\[name_or_id_eq\]",
            "filter-any": r"filter\[name_cont_any\]\[\]",
            "filter-times": r"filter\[created_at_gteq\]",
            "filter-numbers": r"filter\[end_time_\w+\]",
            "filter-booleans": r"filter\[has_fetch_error_eq\]",
            "filter-null": r"filter\[source_url_null\]",
            "filter-unknown-refused": r"filter\[nothing_eq\]",
        }.items()
    },
    "filter-value-refused": with_query(lambda name, value: (name, "2000-01-01" if value == "soon" else value)),
    "filter-case-ignored": _by_case(),
    "filter-wildcards-literal": with_query(
        lambda name, value: ("filter[name_matches]", f"%{value}%") if name == "filter[name_cont]" else (name, value)
    ),
    "filter-stripped": with_query(_with_blanks),
    "filter-blank-dropped": with_query(
        lambda name, value: (name, "nothing" if name.startswith("filter[") and not value.strip() else value)
    ),
    "filter-and": on_request(_only_first_of_several),
    "filter-in": on_request(_only_last_value),
    "filter-camel-case": refusing(lambda request: "createdAt" in str(_filters(request)), 400),
    "filter-null-matches-nothing": _nulls_differ(),
}

# --- Uploads ----------------------------------------------------------------------------------------------------------


def _same_upload() -> Rule:
    first: list[Response] = []

    async def rule(request: Request, forward: Forward) -> Response:
        if not request.path.endswith("/direct_uploads"):
            return await forward(request)
        if not first:
            first.append(await forward(request))
        return first[0]

    return rule


def _other_url(old: str, new: str) -> Rule:
    """Write upload URLs in another way, and read them back."""

    async def rule(request: Request, forward: Forward) -> Response:
        if _put(request):
            query = "&".join(f"{name}={quote(value, safe='')}" for name, value in request.query).replace(new, old)
            request = replace(request, query=tuple(parse_qsl(query)))
        response = await forward(request)
        if not request.path.endswith("/direct_uploads"):
            return response
        return replace(response, body=response.body.replace(old.encode(), new.encode()))

    return rule


def _needs_type(request: Request) -> Request | Response:
    if not _put(request):
        return request
    if "content-type" not in request.headers:
        return Response(403, {"content-type": "application/xml"}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
    return request.with_headers(content_type=None)


def _once() -> Rule:
    """Refuse a second PUT to the same URL."""
    stored: set[str] = set()

    async def rule(request: Request, forward: Forward) -> Response:
        if _put(request) and request.path in stored:
            return Response(403)
        response = await forward(request)
        if _put(request) and response.status == 200:
            stored.add(request.path)
        return response

    return rule


def _without_aws_headers(request: Request) -> Request:
    if not _put(request):
        return request
    return request.with_headers(x_amz_meta_check=None, content_md5=None)


def _readable(request: Request) -> Request | Response:
    return Response(200) if request.method == "GET" and request.path.startswith("/_uploads/") else request


def _any_length(request: Request) -> Request:
    if not _put(request) or "content-length" in request.headers:
        return request
    return request.with_headers(transfer_encoding=None, content_length=str(len(request.body)))


def _any_signature() -> Rule:
    signed: dict[str, tuple[tuple[str, str], ...]] = {}

    async def rule(request: Request, forward: Forward) -> Response:
        if request.path in signed:
            request = replace(request, query=signed[request.path])
        response = await forward(request)
        if request.path.endswith("/direct_uploads"):
            path, _, query = response.json["data"]["attributes"]["upload_url"].partition("?")
            signed["/" + path.split("/", 3)[3]] = tuple(parse_qsl(query))
        return response

    return rule


def _from_url_if(refusal: Callable[[Request, Response], object]) -> Rule:
    """Create a media from a URL where the simulator refuses an upload."""

    async def rule(request: Request, forward: Forward) -> Response:
        response = await forward(request)
        if _POST_MEDIA(request) and response.status == 422 and refusal(request, response):
            changed = request.with_attributes(upload_id=..., source_url="https://films.example/one.mp4")
            return await forward(changed)
        return response

    return rule


def _with_links(request: Request, response: Response) -> Response:
    if not request.path.endswith("/direct_uploads"):
        return response
    return response.with_json({**response.json, "links": {"self": "https://service.example/"}})


UPLOADS: dict[str, Rule] = {
    "upload-each-new": _same_upload(),
    "upload-url-s3": _other_url("X-Amz-", "Q-"),
    "upload-url-week": _other_url("X-Amz-Expires=604800", "X-Amz-Expires=3600"),
    "upload-has-no-links": on_response(_with_links),
    "put-without-type": on_request(_needs_type),
    "put-empty-response": on_response(
        lambda request, response: (
            replace(response, body=b"stored") if _put(request) and response.status == 200 else response
        )
    ),
    "put-type-taken": refusing(lambda request: _put(request) and "content-type" in request.headers, 403),
    "put-header-refused": on_request(_without_aws_headers),
    "put-other-method-refused": on_request(_readable),
    "put-repeat-overwrites": _once(),
    "put-etag": on_response(
        lambda request, response: (
            replace(response, headers=response.headers | {"etag": '"1"'}) if _put(request) else response
        )
    ),
    "store-request-ids": on_response(
        lambda request, response: (
            replace(response, headers=response.headers | {"x-amz-request-id": ""}) if _put(request) else response
        )
    ),
    "put-chunked-refused": on_request(_any_length),
    "put-key-refused": on_request(
        lambda request: request.with_headers(authorization=None) if _put(request) else request
    ),
    "put-signature-checked": _any_signature(),
    "store-errors-xml": on_response(
        lambda request, response: (
            replace(response, body=b'{"error": 1}') if _put(request) and response.status != 200 else response
        )
    ),
    "upload-id-once": _from_url_if(lambda _, response: b'"taken"' in response.body),
    "upload-id-unknown-refused": _from_url_if(
        lambda request, _: (
            request.attributes.get("upload_id") == "contentgroove-doctor" and "source_url" not in request.attributes
        )
    ),
    "upload-id-without-file-refused": _from_url_if(lambda _, response: b"has no file yet" in response.body),
    "one-source": on_request(
        lambda request: (
            request.with_attributes(upload_id=...)
            if _POST_MEDIA(request) and {"upload_id", "source_url"} <= request.attributes.keys()
            else request
        )
    ),
    "upload-has-no-source-url": on_attributes("medias", source_url=lambda url: url or "https://files.example/film.mp4"),
}

# --- Bodies -----------------------------------------------------------------------------------------------------------


def _json_type(missing: str | None) -> Rule:
    def change(request: Request) -> Request:
        if request.method == "POST" and request.headers.get("content-type") == missing:
            return request.with_headers(content_type="application/json")
        return request

    return on_request(change)


def _is_refused_with(status: int) -> Callable[[Request, Response], bool]:
    return lambda request, response: request.method == "POST" and response.status == status


BODIES: dict[str, Rule] = {
    "bad-json-400": with_status(lambda request, _: request.body and request.json is None and not _put(request), 422),
    "no-content-type-400": _json_type(None),
    "other-content-type-400": _json_type("text/plain"),
    "other-structure-400": on_request(
        lambda request: (
            replace(request, body=b'{"data":{"attributes":{}}}') if request.body == b'{"data":[]}' else request
        )
    ),
    "error-400": on_response(
        lambda request, response: response.with_json("bad") if _is_refused_with(400)(request, response) else response
    ),
    "json-api-type-accepted": refusing(
        lambda request: request.headers.get("content-type") == "application/vnd.api+json", 415
    ),
    "method-405": with_status(lambda _, response: response.status == 405, 404),
}

# --- Medias -----------------------------------------------------------------------------------------------------------


def _has_no_type(request: Request) -> bool:
    return bool(request.attributes) and "type" not in request.json["data"]


def _late_list() -> Rule:
    late = [True]

    def change(request: Request, response: Response) -> Response:
        # Only the run reads the newest medias without a size: right after its creation, and later for the order.
        is_fresh = request.path.endswith("/medias") and request.query == (("sort", "-created_at"),)
        if not (is_fresh and late):
            return response
        late.clear()
        document = response.json
        return response.with_json({**document, "data": document["data"][1:]})

    return on_response(change)


def _processed_again() -> Rule:
    seen: set[str] = set()

    def change(item: dict[str, Any]) -> None:
        if item["id"] in seen:
            item["attributes"]["is_processing"] = True
        elif item["attributes"]["is_processing"] is False:
            seen.add(item["id"])

    return on_resources("medias", change, "GET", "/medias/.*")


def _name_once() -> Rule:
    known: set[str] = set()

    def change(request: Request) -> Request | Response:
        name = request.attributes.get("name")
        if _POST_MEDIA(request) and name:
            known.add(name)
        elif request.method == "PUT" and re.fullmatch(MEDIA_ID, request.path) and name in known:
            return error(422)
        return request

    return on_request(change)


def _named_at_once(item: dict[str, Any]) -> None:
    item["relationships"]["transcription"] = {"data": {"id": UNKNOWN_ID, "type": "transcriptions"}}


def _without_suggested(item: dict[str, Any]) -> None:
    item["relationships"]["clips"]["data"] = item["relationships"]["clips"]["data"][3:]


def _swap(item: dict[str, Any]) -> None:
    attributes = item["attributes"]
    names = ("source_file_width", "source_file_height")
    attributes.update(zip(names, (attributes[names[1]], attributes[names[0]]), strict=True))


def _never_deleted(kind: str) -> Rule:
    """Return what was deleted as it was before."""
    known: dict[str, Response] = {}

    async def rule(request: Request, forward: Forward) -> Response:
        response = await forward(request)
        if request.method != "GET" or not request.path.startswith(f"{API}/{kind}/"):
            return response
        if response.status == 200:
            known[request.path] = response
        return known.get(request.path, response)

    return rule


def _deleted_twice() -> Rule:
    deleted: set[str] = set()

    def change(request: Request, response: Response) -> Response:
        if request.method != "DELETE":
            return response
        if response.status == 404 and request.path in deleted:
            return Response(204)
        deleted.add(request.path)
        return response

    return on_response(change)


def _whole_update(request: Request) -> Request:
    if request.method == "PUT" and re.fullmatch(MEDIA_ID, request.path) and "name" in request.attributes:
        return request.with_attributes(description=request.attributes.get("description", ""))
    return request


def _without_null(request: Request) -> Request:
    attributes = request.attributes
    nulls = {name: ... for name, value in attributes.items() if value is None}
    return request.with_attributes(**nulls) if request.method == "PUT" and nulls else request


MEDIAS: dict[str, Rule] = {
    "create-returns-200": with_status(
        lambda request, response: request.method == "POST" and response.status == 200, 201
    ),
    "data-type-optional": refusing(_has_no_type, 422),
    "media-name-optional": refusing(
        lambda request: _POST_MEDIA(request) and request.attributes and "name" not in request.attributes, 422
    ),
    "media-name-empty": on_attributes("medias", name=lambda name: name or None),
    "media-name-twice": _name_once(),
    "source-url-http": on_request(
        lambda request: (
            request.with_attributes(source_url="https://films.example/one.mp4")
            if str(request.attributes.get("source_url", "https")).partition(":")[0] not in {"http", "https"}
            else request
        )
    ),
    "description-long": on_attributes("medias", description=lambda text: text and text[:255]),
    "description-verbatim": on_attributes("medias", description=lambda text: text and f"<p>{text}</p>"),
    "list-has-new-media": _late_list(),
    "processing-null-first": on_attributes("medias", "POST", is_processing=True),
    "facts-null-first": on_attributes("medias", "POST", source_file_duration=6.0),
    "external-id-later": on_attributes("medias", "POST", external_id="1"),
    "processing-false-last": on_attributes("medias", is_processing=lambda state: state or None),
    "processing-stays-false": _processed_again(),
    "duration-seconds": on_attributes("medias", source_file_duration=lambda seconds: seconds and seconds * 1000),
    "size-pixels": on_resources("medias", _swap),
    "media-content-type": on_attributes("medias", source_file_content_type=lambda found: found and "audio/x"),
    "original-created-at-set": on_attributes("medias", original_created_at=None),
    "preview-image": on_attributes("medias", source_file_preview_image_url=None),
    "transcription-named-later": on_resources("medias", _named_at_once, "POST"),
    "clips-suggested": on_resources("medias", _without_suggested),
    "fetch-error-flag": on_resources(
        "medias",
        lambda item: (
            item["attributes"].update(has_fetch_error=not item["attributes"]["source_url"])
            if item["attributes"]["has_fetch_error"]
            else None
        ),
        "GET",
        "/medias/.+",
    ),
    "not-media-flag": on_resources(
        "medias",
        lambda item: (
            item["attributes"].update(has_fetch_error=bool(item["attributes"]["source_url"]))
            if item["attributes"]["has_fetch_error"]
            else None
        ),
        "GET",
        "/medias/.+",
    ),
    "put-is-partial": on_request(_whole_update),
    "null-refused": on_request(_without_null),
    "attributes-unknown-ignored": refusing(lambda request: "contentgroove_doctor" in request.attributes, 422),
    "unknown-media-404": with_status(lambda request, response: request.method == "PUT" and response.status == 404, 422),
    "delete-returns-204": with_status(lambda _, response: response.status == 204, 200),
    "deleted-is-gone": _never_deleted("medias"),
    "delete-again-404": _deleted_twice(),
    "media-deletes-clips": _never_deleted("clips"),
}

# --- Clips ------------------------------------------------------------------------------------------------------------


def _early_clips(request: Request, response: Response) -> Response:
    if not (_POST_CLIP(request) and b"has not finished" in response.body):
        return response
    clip = {"id": UNKNOWN_ID, "type": "clips", "attributes": {}, "relationships": {}}
    return Response(200, {"content-type": "application/json"}).with_json({"data": clip})


def _on_clip(condition: Callable[[dict[str, Any]], object], **changed: Any) -> Rule:
    def change(request: Request) -> Request:
        return request.with_attributes(**changed) if _POST_CLIP(request) and condition(request.attributes) else request

    return on_request(change)


def _without_last_clip(item: dict[str, Any]) -> None:
    item["relationships"]["clips"]["data"] = item["relationships"]["clips"]["data"][:3]


def _never_left() -> Rule:
    """Name clips in their media after they were deleted."""
    named: dict[str, dict[str, Any]] = {}

    def change(item: dict[str, Any]) -> None:
        found = item["relationships"]["clips"]["data"]
        named.update({clip["id"]: clip for clip in found})
        if found:
            item["relationships"]["clips"]["data"] = list(named.values())

    return on_resources("medias", change, "GET", "/medias/.+")


def _finished_after_update() -> Rule:
    updated: set[str] = set()

    def change(request: Request, response: Response) -> Response:
        if request.method == "PUT" and request.path.startswith(f"{API}/clips/"):
            updated.add(request.path)
        if request.path not in updated or response.status != 200:
            return response
        document = response.json
        document["data"]["attributes"]["is_processing"] = False
        return response.with_json(document)

    return on_response(change)


CLIPS: dict[str, Rule] = {
    "clip-needs-finished-media": on_response(_early_clips),
    "clip-processing-null-first": on_attributes("clips", "POST", is_processing=True),
    "clip-rank-null": on_attributes("clips", "POST", rank=0),
    "clip-file-later": on_attributes("clips", "POST", media_file_url="https://files.example/clip.mp4"),
    "clip-duration": on_attributes("clips", media_file_duration=lambda seconds: seconds and seconds * 1000),
    "clip-file-public": refusing(lambda request: request.path.startswith("/_files/"), 403),
    "clip-of-media": on_resources("medias", _without_last_clip, "GET", "/medias/.*"),
    "clip-end-after-start": _on_clip(lambda clip: clip["start_time"] > clip["end_time"], start_time=0.0),
    "clip-within-media": _on_clip(lambda clip: clip["end_time"] > 1000, end_time=2.0),
    "clip-times-not-negative": _on_clip(lambda clip: clip["start_time"] < 0, start_time=0.0),
    "clip-of-unknown-media-404": with_status(
        lambda request, response: _POST_CLIP(request) and response.status == 404, 422
    ),
    "clip-name-needed": _on_clip(lambda clip: not clip["name"].strip(), name="A clip"),
    "clip-leaves-media": _never_left(),
    "error-422": on_response(
        lambda request, response: (
            response.with_json({"error": "no"}) if _is_refused_with(422)(request, response) else response
        )
    ),
    "values-refused-422": with_status(_is_refused_with(422), 400),
    "clip-update-reprocesses": _finished_after_update(),
}

# --- Subscriptions and webhooks ---------------------------------------------------------------------------------------

_POST_SUBSCRIPTION = _is("POST", "/webhook_subscriptions")


def _url_once() -> Rule:
    known: set[str] = set()

    def change(request: Request) -> Request | Response:
        if not _POST_SUBSCRIPTION(request):
            return request
        url = request.attributes["url"]
        if url in known:
            return error(422)
        known.add(url)
        return request

    return on_request(change)


SUBSCRIPTIONS: dict[str, Rule] = {
    "subscription-of-all-events": on_attributes(
        "webhook_subscriptions", "POST", subscribed_events=["media.processing_finished"]
    ),
    "subscription-url-verbatim": on_attributes("webhook_subscriptions", url=lambda url: url.partition("?")[0]),
    "subscription-active": on_attributes("webhook_subscriptions", active=False),
    "subscription-url-twice": _url_once(),
    "subscription-events-unchecked": refusing(
        lambda request: "contentgroove.doctor" in request.attributes.get("subscribed_events", ()), 422
    ),
    "subscription-lists-deliveries": on_resources(
        "webhook_subscriptions", lambda item: item["relationships"].update(webhook_events={"data": []})
    ),
}


def _webhook(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> DeliveryRule:
    """Change the body of webhooks; the function gets the body and its media."""

    def rule(request: httpx.Request, body: dict[str, Any]) -> httpx.Request:
        change(body, body["payload"]["data"])
        return delivery(request, body)

    return rule


def _moved(_: dict[str, Any], media: dict[str, Any]) -> None:
    media["relationships"]["transcription"] = media.pop("transcription")


def _number(_: dict[str, Any], media: dict[str, Any]) -> None:
    media["attributes"]["source_file_duration"] = float(media["attributes"]["source_file_duration"])


def _with_states(body: dict[str, Any], _: dict[str, Any]) -> None:
    for item in body["payload"]["included"]:
        if item["type"] == "clips":
            item["attributes"]["is_processing"] = False


WEBHOOKS: dict[str, DeliveryRule] = {
    "webhook-envelope": _webhook(lambda body, _: body.update(event="media.finished")),
    "webhook-content-type": lambda request, body: delivery(request, body, content_type="text/json"),
    "webhook-unsigned": lambda request, body: delivery(request, body, x_signature="sha256=0"),
    "webhook-keeps-query": lambda request, body: delivery(request, body, str(request.url).partition("?")[0]),
    "webhook-numeric-strings": _webhook(_number),
    "webhook-transcription-beside": _webhook(_moved),
    "webhook-included": _webhook(lambda body, _: body["payload"].update(included=None)),
    "webhook-clips-without-state": _webhook(_with_states),
    "webhook-means-finished": _webhook(lambda _, media: media["attributes"].update(is_processing=True)),
}

_ALL = (KEYS_AND_RESPONSES, LISTS, FILTERS, UPLOADS, BODIES, MEDIAS, CLIPS, SUBSCRIPTIONS)

RULES: dict[str, Rule] = {identifier: rule for rules in _ALL for identifier, rule in rules.items()}
"""The services whose API is turned round, by the id of the entry."""


def akin(identifier: str) -> frozenset[str]:
    """Return an entry and those about the same requests."""
    for rules in (*_ALL[:-1], {**SUBSCRIPTIONS, **WEBHOOKS}):
        if identifier in rules:
            return frozenset(rules)
    raise LookupError(identifier)

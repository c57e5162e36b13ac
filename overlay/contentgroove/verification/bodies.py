"""Checks of what the service does with bodies that it cannot use."""

from __future__ import annotations

from .checks import UNKNOWN_ID, Finding, NotTriedError, Probe, check, described, judge
from .exchanges import Exchange, member

_BAD_REQUEST = 400
_METHOD_NOT_ALLOWED = 405
# An update of everything, so that it is none that perhaps deletes the rest (assumed: put-is-partial).
_WHOLE = {"name": "Doctor's film"}
_NO_SOURCE = b'{"data":{"type":"medias","attributes":{}}}'
_JSON = {"Content-Type": "application/json"}


def _post(probe: Probe, content: bytes, content_type: str | None) -> Exchange:
    """POST bytes; what is created nevertheless is deleted in the end."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    # Without a source, nothing is created, so that it may be sent again.
    return probe.created.note(probe.caller.call("POST", "/medias", content=content, headers=headers, repeats=1))


def _refuses_type(probe: Probe, content_type: str | None, what: str) -> Finding:
    """Judge whether a body is refused with 400 that gets another status as JSON."""
    as_json = _post(probe, _NO_SOURCE, "application/json")
    if as_json.status == _BAD_REQUEST:
        raise NotTriedError("The same body gets 400 as JSON, too, so that the type may not be the reason.")
    exchange = _post(probe, _NO_SOURCE, content_type)
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} {what}.", exchange)


@check("bad-json-400")
def bad_json_400(probe: Probe) -> Finding:
    """POST half of an object."""
    exchange = _post(probe, b'{"data":', "application/json")
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} for half of an object.", exchange)


@check("no-content-type-400")
def no_content_type_400(probe: Probe) -> Finding:
    """POST without a Content-Type."""
    return _refuses_type(probe, None, "without Content-Type")


@check("other-content-type-400")
def other_content_type_400(probe: Probe) -> Finding:
    """POST text."""
    return _refuses_type(probe, "text/plain", "for text/plain")


@check("other-structure-400")
def other_structure_400(probe: Probe) -> Finding:
    """POST a list instead of an object."""
    exchange = _post(probe, b'{"data":[]}', "application/json")
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} for a list.", exchange)


@check("error-400")
def error_400(probe: Probe) -> Finding:
    """Read the errors of half of an object."""
    exchange = _post(probe, b'{"data":', "application/json")
    if exchange.status != _BAD_REQUEST:
        raise NotTriedError(f"{described(exchange)} for half of an object, so there is no 400 to read.")
    error = member(exchange.errors, 0)
    holds = isinstance(member(error, "title"), str) and isinstance(member(error, "status"), str)
    return judge(holds, f"The body {'has' if holds else 'lacks'} errors with status and title.", exchange)


@check("json-api-type-accepted")
def json_api_type_accepted(probe: Probe) -> Finding:
    """Update the media with JSON:API's media type."""
    path, body = f"/medias/{probe.created.media_id}", probe.created.body(_WHOLE | {"description": probe.created.marker})
    headers = {"Content-Type": "application/vnd.api+json"}
    plain = probe.caller.call("PUT", path, body=body)
    if not plain.succeeded:
        raise NotTriedError(f"{described(plain)} as application/json, too.")
    exchange = probe.caller.call("PUT", path, body=body, headers=headers)
    return judge(exchange.succeeded, f"{described(exchange)} for application/vnd.api+json.", exchange)


@check("method-405")
def method_405(probe: Probe) -> Finding:
    """POST to a media, which no document has."""
    exchange = probe.caller.call("POST", f"/medias/{UNKNOWN_ID}", content=b"{}", headers=_JSON)
    return judge(exchange.status == _METHOD_NOT_ALLOWED, f"{described(exchange)} for POST to a media.", exchange)

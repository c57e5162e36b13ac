"""Checks of what the service does with bodies that it cannot use."""

from __future__ import annotations

from .checks import UNKNOWN_ID, Finding, NotTriedError, Probe, check, described, judge
from .exchanges import Exchange, member

_BAD_REQUEST = 400
_METHOD_NOT_ALLOWED = 405
# An update of everything, so that it is none that perhaps deletes the rest (assumed: put-is-partial).
_WHOLE = {"name": "Doctor's media"}
_JSON = {"Content-Type": "application/json"}


def _post(probe: Probe, content: bytes, content_type: str | None) -> Exchange:
    """POST bytes; what is created nevertheless is deleted in the end."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    return probe.created.note(probe.caller.call("POST", "/medias", content=content, headers=headers))


@check("bad-json-400")
def bad_json_400(probe: Probe) -> Finding:
    """POST half of an object."""
    exchange = _post(probe, b'{"data":', "application/json")
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} for half of an object.", exchange)


@check("no-content-type-400")
def no_content_type_400(probe: Probe) -> Finding:
    """POST without a Content-Type."""
    exchange = _post(probe, b'{"data":{"attributes":{}}}', None)
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} without Content-Type.", exchange)


@check("other-content-type-400")
def other_content_type_400(probe: Probe) -> Finding:
    """POST text."""
    exchange = _post(probe, b'{"data":{"attributes":{}}}', "text/plain")
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} for text/plain.", exchange)


@check("other-structure-400")
def other_structure_400(probe: Probe) -> Finding:
    """POST a list instead of an object."""
    exchange = _post(probe, b'{"data":[]}', "application/json")
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} for a list.", exchange)


@check("error-400")
def error_400(probe: Probe) -> Finding:
    """Read the errors of half of an object."""
    exchange = _post(probe, b'{"data":', "application/json")
    if exchange.succeeded:
        raise NotTriedError("The service accepts half of an object, so there is no error to read.")
    error = member(exchange.errors, 0)
    holds = isinstance(member(error, "title"), str) and isinstance(member(error, "status"), str)
    return judge(holds, f"The body {'has' if holds else 'lacks'} errors with status and title.", exchange)


@check("json-api-type-accepted")
def json_api_type_accepted(probe: Probe) -> Finding:
    """Update the media with JSON:API's media type."""
    path, body = f"/medias/{probe.created.media_id}", probe.created.body(_WHOLE | {"description": probe.created.marker})
    headers = {"Content-Type": "application/vnd.api+json"}
    exchange = probe.caller.call("PUT", path, body=body, headers=headers)
    return judge(exchange.succeeded, f"{described(exchange)} for application/vnd.api+json.", exchange)


@check("method-405")
def method_405(probe: Probe) -> Finding:
    """POST to a media, which no document has."""
    exchange = probe.caller.call("POST", f"/medias/{UNKNOWN_ID}", content=b"{}", headers=_JSON)
    return judge(exchange.status == _METHOD_NOT_ALLOWED, f"{described(exchange)} for POST to a media.", exchange)

"""The verdicts of three validators on an exchange: the contract checker, Prism, and openapi-core."""

from __future__ import annotations

import copy
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from contentgroove_mock.contract import Checker
from jsonschema_path import SchemaPath
from openapi_core import V30RequestValidator, V30ResponseValidator
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

from tests.conformance.oracles.openapi_core_adapter import HttpxRequest, HttpxResponse
from tests.conformance.oracles.reading import FURTHER_PATH, WEBHOOK, Json, read_yaml
from tests.prism.documented import DOCUMENT
from tests.prism.upstream import Canned

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    import httpx

    from tests.conformance.oracles.reading import Exchange
    from tests.prism.upstream import Upstream

PASSES = "passes"
NOT_SENT = "not sent"
SERVER: str = DOCUMENT["servers"][0]["url"]


def document_for_all() -> Json:
    """Return the contract with two more paths: the webhook's, and that of further_path.yaml.

    Prism and openapi-core check no callbacks, but any path.
    """
    document = copy.deepcopy(DOCUMENT)
    callbacks = document["paths"]["/webhook_subscriptions"]["post"].pop("callbacks")
    (callback,) = callbacks["media.processing_finished"].values()
    document["paths"] |= {WEBHOOK: callback, **read_yaml(FURTHER_PATH)}
    return document


def _verdict(violations: list[str]) -> str:
    return "; ".join(sorted(set(violations))) or PASSES


class ByChecker:
    """The contract checker; its verdict is the rule and location of each violation."""

    def __init__(self) -> None:
        self._checker = Checker()
        self._further = Checker(document_for_all())

    def judge(self, exchange: Exchange) -> str:
        """Return the violations in an exchange."""
        request, response = exchange.request(SERVER), exchange.response()
        if exchange.is_webhook:
            found = self._checker.check_delivery(request.content, request.headers, response.status_code)
        else:
            checker = self._further if exchange.path.startswith("/things/") else self._checker
            found = checker.check(request, response)
        return _verdict([f"{violation.rule} {violation.location}" for violation in found])


class ByPrism:
    """Prism's proxy before a service; its verdict is the status, and the location and kind of the first violation."""

    def __init__(self, http: httpx.Client, base_url: str, upstream: Upstream) -> None:
        self._http = http
        self._base_url = base_url
        self._upstream = upstream

    def judge(self, exchange: Exchange) -> str:
        """Return the violations in an exchange."""
        if _is_never_processed(exchange) or _ends_early(exchange):
            return NOT_SENT
        while self._upstream.take():
            pass
        self._upstream.response = Canned(exchange.status, exchange.received.headers, exchange.received.content)
        response = self._http.send(exchange.request(self._base_url))
        if "sl-violations" in response.headers:
            return _prism_verdict(response.status_code, json.loads(response.headers["sl-violations"]))
        if response.headers.get("content-type") != "application/problem+json":
            assert (self._upstream.take() is None, response.status_code) == (False, exchange.status)
            return PASSES
        problem = response.json()
        # Prism's own response to a request that it did not forward, or for a response that it could not read.
        kind = problem["type"].rpartition("#")[2]
        return _prism_verdict(response.status_code, problem.get("validation") or [{"code": kind}])


def _is_never_processed(exchange: Exchange) -> bool:
    """Return whether the request's body is malformed JSON: Prism then waits without limit."""
    if exchange.sent.headers.get("Content-Type") != "application/json":
        return False
    try:
        json.loads(exchange.sent.content or b"{}")
    except ValueError:
        return True
    return False


def _ends_early(exchange: Exchange) -> bool:
    """Return whether a body follows where HTTP allows none: Prism's result then depends on when bytes arrive."""
    return exchange.status == HTTPStatus.NO_CONTENT and bool(exchange.received.content)


def _prism_verdict(status: int, violations: list[Json]) -> str:
    # The first is enough: for a oneOf, Prism lists the errors of each branch.
    first = violations[0]
    severity = "warns" if first.get("severity") == "Warning" else str(status)
    parts = (severity, ".".join(first.get("location", ())), first.get("code", ""))
    return " ".join(str(part) for part in parts if part)


class ByOpenapiCore:
    """openapi-core; its verdict is the class of each error, and location and keyword of schema errors."""

    def __init__(self) -> None:
        spec = SchemaPath.from_dict(cast("dict[Hashable, Any]", document_for_all()))
        self._requests = V30RequestValidator(spec)
        self._responses = V30ResponseValidator(spec)

    def judge(self, exchange: Exchange) -> str:
        """Return the violations in an exchange."""
        request = HttpxRequest(exchange.request(SERVER))
        errors = list(self._requests.iter_errors(request))
        if not any(isinstance(error, PathError) for error in errors):
            errors += self._responses.iter_errors(request, HttpxResponse(exchange.response()))
        return _verdict([text for error in errors for text in _openapi_core_error(error)])


def _openapi_core_error(error: Exception) -> Iterator[str]:
    name = type(error).__name__
    cause: Any = error.__cause__
    if isinstance(cause, InvalidSchemaValue):
        broken: Any  # an error of jsonschema
        for broken in cause.schema_errors:
            location = "".join(f"/{step}" for step in broken.absolute_path)
            yield f"{name} {location} {broken.validator}".replace("  ", " ")
    else:
        yield f"{name} {type(cause).__name__}" if cause is not None else name

"""Checks exchanges against the contract."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi import operations as openapi
from contentgroove._openapi.readable import readable

from contentgroove_mock.contract.allowance import Allowance
from contentgroove_mock.contract.conventions import CONVENTIONS, Conventions
from contentgroove_mock.contract.exchanges import CheckedRequest, CheckedResponse
from contentgroove_mock.contract.operations import Operations
from contentgroove_mock.contract.resources import Documents
from contentgroove_mock.contract.values import decode_json
from contentgroove_mock.contract.violations import Violation, short_repr, with_caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import httpx
    from contentgroove._openapi.documents import Json

    from contentgroove_mock.contract.operations import Operation
    from contentgroove_mock.contract.paths import Match

CONTRACT = Path(__file__).parents[1] / "contract.json"


class Checker:
    """The contract, compiled; safe to share between threads.

    It is strict: whatever the contract does not declare is a violation, be it a path, a method, a status, a media type,
    a query parameter, a key of a filter or page, or a member of a body. Pass the API's calls only: redirected URLs,
    uploads to the file store and everything else that is not below the API's base path would be violations.

    Attributes:
        document: The contract.
        digest: The SHA-256 of its text.
        operations: Its operations by operationId.
        event_schemas: The schemas of its webhooks' bodies, by event.
        base_path: The path above all operations: that of the first server.
        problems: What of the document cannot be checked, and why: checks omit it.
        conventions: What the document cannot say.
    """

    def __init__(
        self,
        document: Mapping[str, Any] | None = None,
        *,
        base_path: str | None = None,
        conventions: Conventions | None = None,
        allow: Iterable[str] = (),
    ) -> None:
        """Compile a contract.

        Args:
            document: An OpenAPI 3 document; ContentGroove's contract by default.
            base_path: The prefix of every path; by default the base paths of the servers that the document, a path or
                an operation has, so that a request can be for any of them.
            conventions: What the document cannot say: ContentGroove's by default for its contract, nothing for others.
            allow: New members of bodies that are not violations: the name of a member, such as `mood`, or where it is
                new, `getMediaById:mood`, an operationId or an event before a colon.

        Raises:
            ConfigurationError: `allow` names an operation that does not exist, or a member that is not new.
        """
        content = CONTRACT.read_bytes() if document is None else json.dumps(document).encode()
        original: Json = json.loads(content)
        contract, problems = readable(original)
        self.document = contract
        self.conventions = conventions or (CONVENTIONS if document is None else Conventions())
        self.digest = hashlib.sha256(content).hexdigest()
        prefix = openapi.base_path(openapi.server_urls(contract)) if base_path is None else base_path
        self.base_path = prefix.rstrip("/")
        self._compiled = Operations(contract, None if base_path is None else self.base_path, self.conventions)
        self.problems: Sequence[str] = (*problems, *self._compiled.problems)
        self.operations: Mapping[str, Operation] = self._compiled.all
        self.event_schemas = {name: body.json_schema for name, body in self._compiled.webhooks.items()}
        self._allowance = Allowance(allow, [*self.operations, *self.event_schemas], contract)
        spans = {name for span in self.conventions.spans for name in (span.begin, span.end)}
        self._webhook_rules = Documents(self.conventions, (), frozenset(spans))

    def check(self, request: httpx.Request, response: httpx.Response) -> list[Violation]:
        """Check an exchange whose request and response were both read.

        Returns:
            The violations, the request's first; empty if there are none.
        """
        return self.check_exchange(CheckedRequest.from_httpx(request), CheckedResponse.from_httpx(response))

    def check_request(self, request: httpx.Request) -> list[Violation]:
        """Check a request that got no response; its body must have been read."""
        return self.check_exchange(CheckedRequest.from_httpx(request), None)

    def check_exchange(self, request: CheckedRequest, response: CheckedResponse | None) -> list[Violation]:
        """Check an exchange of any HTTP library."""
        return self._found(self._check_exchange(request, response))

    def check_call(
        self,
        *,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes,
        status: int,
        response_headers: Mapping[str, str],
        response_body: bytes,
    ) -> list[Violation]:
        """Check an exchange whatever the API's base URL is; the SDK's option `on_contract_violation` calls this.

        Args:
            method: In upper case.
            path: The path below the API's base path, with the query.
            headers: The request's headers by lower-case name.
            content: The request's body.
            status: The response's status.
            response_headers: The response's headers.
            response_body: Its body, decompressed.
        """
        request = CheckedRequest(method, f"{self.base_path}{path}", headers, content)
        return self.check_exchange(request, CheckedResponse(status, response_headers, response_body))

    def check_webhook(
        self, content: bytes, headers: Mapping[str, str] | None = None, *, event: str | None = None
    ) -> list[Violation]:
        """Check a webhook.

        Args:
            content: Its body.
            headers: Its headers by lower-case name; if omitted, its Content-Type is not checked.
            event: The name of the webhook or callback in the document; by default the body names it, if the API's
                conventions say in which member.
        """
        return self._found(self._check_webhook(content, headers, event))

    def check_delivery(
        self,
        content: bytes,
        headers: Mapping[str, str],
        status: int | None,
        *,
        event: str | None = None,
        error: str = "no response",
    ) -> list[Violation]:
        """Check one attempt to deliver a webhook: what was sent, and the status that its receiver responded with.

        Args:
            content: The webhook's body.
            headers: Its headers by lower-case name.
            status: The response's status; None if none came, or too late.
            event: Like that of `check_webhook`.
            error: What happened instead of a response, as the violation shows it.
        """
        return self._found(self._check_webhook(content, headers, event, error if status is None else status))

    def operation_of(self, method: str, target: str) -> Operation | None:
        """Return the operation that a request is for, None if there is no such operation.

        Args:
            method: In upper case.
            target: The path, percent-encoded, with or without a query.
        """
        found = self._compiled.match(target.partition("?")[0])
        return None if found is None else next(iter(found.operations.get(method, ())), None)

    def locate(self, request: CheckedRequest) -> tuple[Operation, str] | None:
        """Return the operation that a request is for, and its path below the base path; None if there is none."""
        path, _, query = request.target.partition("?")
        found = self._compiled.match(path)
        candidates = None if found is None else found.operations.get(request.method)
        if found is None or candidates is None:
            return None
        return _closest(candidates, found, query, request)[0], found.path

    def _found(self, violations: Iterator[Violation]) -> list[Violation]:
        found = [violation for violation in violations if not self._allowance.covers(violation)]
        return with_caller(found)

    def _check_exchange(self, request: CheckedRequest, response: CheckedResponse | None) -> Iterator[Violation]:
        path, _, query = request.target.partition("?")
        found = self._compiled.match(path)
        if found is None:
            message = f"there is no such path below {self.base_path or '/'}"
            yield Violation(None, "request.path", "unknown-path", message, short_repr(path))
            return
        candidates = found.operations.get(request.method)
        if candidates is None and request.method == "HEAD":
            # The same as GET without the body (RFC 9110, 9.3.2).
            candidates = found.operations.get("GET")
        if candidates is None and request.method == "OPTIONS":
            # About the communication with the server, and without credentials (RFC 9110, 9.3.7).
            return
        if candidates is None:
            message = f"{path} has {', '.join(found.operations)}"
            yield Violation(None, "request.method", "unknown-method", message, request.method)
            return
        operation, violations = _closest(candidates, found, query, request)
        yield from violations
        if response is None:
            return
        fault = self.conventions.fault_header
        if not (fault is not None and fault in response.headers and not operation.documents(response.status)):
            yield from operation.check_response(request, response)

    def _check_webhook(
        self, content: bytes, headers: Mapping[str, str] | None, event: str | None, status: int | str | None = None
    ) -> Iterator[Violation]:
        webhooks = self._compiled.webhooks
        member = self.conventions.event_member
        location, named = "webhook.body", event
        if event is None and member is not None:
            try:
                body = decode_json(content)
            except ValueError as error:
                yield Violation(None, location, "json", f"the body is JSON: {error}", short_repr(content[:200]))
                return
            if not isinstance(body, dict):
                yield Violation(None, f"{location}#", "type", "the body is an object", short_repr(body))
                return
            location, found = f"{location}#/{member}", cast("dict[str, object]", body).get(member)
            named = found if isinstance(found, str) else None
        if named is None or named not in webhooks:
            message = f"the events are {', '.join(webhooks)}"
            yield Violation(None, location, "unknown-event", message, short_repr(named))
            return
        spec = webhooks[named]
        media_type = (spec.types[0] if spec.types else None) if headers is None else headers.get("content-type")

        def check_further(body: object) -> Iterator[Violation]:
            if self.conventions.json_api:
                yield from self._webhook_rules.check_webhook(named, body)

        yield from spec.check(content, media_type, named, "webhook", further=check_further)
        documented = self._compiled.receiver_statuses[named]
        accepted = {str(status), f"{status // 100}XX", "DEFAULT"} if isinstance(status, int) else set[str]()
        if status is not None and documented and accepted.isdisjoint(documented):
            # (assumed: webhook-200-only)
            statuses = " or ".join(documented)
            message = f"the document lets its receiver respond with {statuses}: anything else counts as not delivered"
            yield Violation(named, "webhook.response.status", "webhook-response", message, short_repr(str(status)))


def _closest(
    candidates: Sequence[Operation], found: Match[Operation], query: str, request: CheckedRequest
) -> tuple[Operation, list[Violation]]:
    """Return the operation that a request is for, and the request's violations.

    Operations of one path and method differ in their queries, headers or bodies: the one with the fewest is meant.
    """
    checked = [(candidate, [*candidate.check_request(found.values, query, request)]) for candidate in candidates]
    return min(checked, key=lambda pair: len(pair[1]))

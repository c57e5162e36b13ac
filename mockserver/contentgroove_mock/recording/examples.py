"""Make recordings from the contract's own examples: of every success, and of what has no other recording.

The examples of successes come from the provider, so they are the closest thing to the service's real responses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import UNSET

from contentgroove_mock.recording.journey import HOOK_URL, USUAL, RequestSpec
from contentgroove_mock.recording.recordings import RecordedResponse, Recording, Request

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from contentgroove_mock.recording.contract import Operation, PackagedContract

_FIRST_FAILURE = 400
_VARIANT = "example"
_ID = "9b9a2e82-5b47-4f59-831d-4c239824b983"
_JSON = {"content-type": "application/json"}


def examples(contract: PackagedContract, recorded: Collection[tuple[str, int]]) -> Iterator[Recording]:
    """Yield recordings of examples.

    Args:
        contract: The contract.
        recorded: The operations and statuses that already have a recording.
    """
    for operation in contract.operations.values():
        for status in operation.statuses:
            example: Any
            if operation.callback:
                example = contract.delivered_example(operation.name)
            else:
                example = contract.example(operation.name, status)
            if example is None or (status >= _FIRST_FAILURE and (operation.name, status) in recorded):
                continue
            yield Recording(
                operation=operation.name,
                status=status,
                variant=_VARIANT,
                origin="spec example",
                contract=contract.parts(operation.name, status),
                request=_delivery_request(operation, example) if operation.callback else _request(operation, example),
                response=RecordedResponse() if operation.callback else RecordedResponse(headers=_JSON, body=example),
            )


def _delivery_request(operation: Operation, example: Any) -> Request:
    return Request(method=operation.method, path=urlsplit(HOOK_URL).path, headers=_JSON, body=example)


def _request(operation: Operation, example: dict[str, Any]) -> Request:
    """Return a request that the example is a response to: the usual one, for the example's own resource."""
    data: Any = example.get("data")
    # The request for a list names none of its items.
    resource: dict[str, Any] = {} if data is None or isinstance(data, list) else data
    known: dict[str, Any] = dict(resource.get("attributes", {}))
    if media := resource.get("relationships", {}).get("media"):
        known["media_id"] = media["data"]["id"]
    sent = {
        name: _value_or_example(value) if known.get(name) is None else known[name]
        for name, value in (USUAL.get(operation.name, RequestSpec()).attributes or {}).items()
    }
    return Request(
        method=operation.method,
        path=operation.path.replace("{id}", str(resource.get("id", _ID))),
        headers=_JSON if sent else {},
        body={"data": {"attributes": sent}} if sent else UNSET,
    )


def _value_or_example(value: Any) -> Any:
    return _ID if isinstance(value, str) and value.startswith("{") else value

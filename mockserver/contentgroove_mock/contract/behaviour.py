"""Rules that follow a run: what was deleted stays deleted, an update shows, filters, order and pages are observed.

A run is all exchanges with one service: writes of others that it does not see would look like mistakes. Exchanges may
overlap. What is known about a resource when a request leaves must hold in its response; what happens meanwhile may
show, or not yet.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from contentgroove._openapi.documents import as_object
from msgspec import Struct

from contentgroove_mock.contract.exchanges import CheckedRequest, CheckedResponse
from contentgroove_mock.contract.filters import read_number, read_time
from contentgroove_mock.contract.lists import Reading, check_list
from contentgroove_mock.contract.resources import linked, resources_in, values_of
from contentgroove_mock.contract.values import decode_json
from contentgroove_mock.contract.violations import Violation, short_repr, with_caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from contentgroove_mock.contract.checker import Checker
    from contentgroove_mock.contract.conventions import Json
    from contentgroove_mock.contract.operations import Operation

_SUCCESS = range(200, 300)
_REFUSED = range(400, 500)
_UPDATES = frozenset({"PUT", "PATCH"})
_WRITES = _UPDATES | {"POST", "DELETE"}
_NEEDS_IT = frozenset({"GET", "DELETE"}) | _UPDATES


class _Write(Struct, eq=False):
    """What set attributes of one resource.

    Attributes:
        began: When the request left, in ticks.
        ended: When its response came; None if it did not, so that it may happen at any time.
        values: The attributes, each with the values that it may have then.
    """

    began: int
    ended: int | None
    values: dict[str, list[Any]]


class Sent(Struct, eq=False):
    """A request that left; `Behaviour.received` takes it together with its response.

    Attributes:
        request: The request.
        began: When it left, in ticks.
    """

    request: CheckedRequest
    began: int
    operation: Operation | None
    collection: str = ""
    identifier: str = ""
    write: _Write | None = None


class Behaviour:
    """Follows the exchanges of a run with one service; safe to share between threads.

    It needs an API whose documents are those of JSON:API, and finds nothing for others.
    """

    def __init__(self, checker: Checker) -> None:
        """Start a run; `checker` knows the API's operations and conventions."""
        self._checker = checker
        self._lock = threading.Lock()
        self._ticks = 0
        self._writes: dict[tuple[str, str], list[_Write]] = {}
        self._deleted: dict[tuple[str, str], int] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._readings: dict[str, dict[tuple[object, int], Reading]] = {}
        self._under_way: dict[str, int] = {}

    def check(self, request: httpx.Request, response: httpx.Response) -> list[Violation]:
        """Check an exchange that began after the one before had ended; both must have been read."""
        return self.received(self.sent(CheckedRequest.from_httpx(request)), CheckedResponse.from_httpx(response))

    def sent(self, request: CheckedRequest) -> Sent:
        """Note that a request leaves now.

        Returns:
            What `received` takes. If no response comes, nothing more must be done: the request may have arrived or not.
        """
        located = self._checker.locate(request) if self._checker.conventions.json_api else None
        with self._lock:
            self._ticks += 1
            sent = Sent(request, self._ticks, None if located is None else located[0])
            if located is None:
                return sent
            sent.collection, sent.identifier = _address(*located)
            if request.method in _WRITES:
                self._readings.pop(sent.collection, None)
                self._under_way[sent.collection] = self._under_way.get(sent.collection, 0) + 1
            if request.method in _UPDATES and sent.identifier:
                values = {name: [value] for name, value in _attributes_of(request.content).items()}
                sent.write = _Write(self._ticks, None, values)
                self._writes.setdefault((sent.collection, sent.identifier), []).append(sent.write)
            return sent

    def start_again(self) -> None:
        """Forget what is known of all resources, because the service has others from now on, such as after a reset."""
        with self._lock:
            for writes in self._writes.values():
                writes.clear()
            for known in (self._deleted, self._seen, self._readings):
                known.clear()

    def received(self, sent: Sent, response: CheckedResponse) -> list[Violation]:
        """Check the response to a request; return the violations."""
        if sent.operation is None:
            return []
        with self._lock:
            self._ticks += 1
            found = [*self._check(sent, sent.operation, response)]
            if sent.request.method in _WRITES:
                self._readings.pop(sent.collection, None)
                self._under_way[sent.collection] -= 1
        return with_caller(found)

    def _check(self, sent: Sent, operation: Operation, response: CheckedResponse) -> Iterator[Violation]:
        address = sent.collection, sent.identifier
        if response.status in _REFUSED and sent.write is not None and sent.write in self._writes.get(address, ()):
            # It was not performed.
            self._writes[address].remove(sent.write)
        if response.status not in _SUCCESS:
            return
        method, name = sent.request.method, operation.name
        if sent.identifier and method in _NEEDS_IT and self._deleted.get(address, self._ticks) < sent.began:
            message = f"{sent.identifier} was deleted before, so the status is 404"
            yield Violation(name, "response.status", "deleted", message, str(response.status))
        if method == "DELETE":
            self._deleted.setdefault(address, self._ticks)
            return
        try:
            body = decode_json(response.content)
        except ValueError:
            return
        resources = [*resources_in(body)]
        for pointer, resource in resources:
            yield from self._check_resource(sent, name, f"response.body#{pointer}", resource)
        if method == "GET" and isinstance(as_object(body).get("data"), list):
            reading = check_list(sent.request, operation, self._checker.conventions, body)
            yield from reading.violations
            yield from self._check_pages(sent, name, reading)
        creating = method == "POST" or name in self._checker.conventions.creating
        for pointer, resource in resources:
            yield from self._note(sent, name, f"response.body#{pointer}", resource, creating=creating)

    def _check_resource(self, sent: Sent, name: str, location: str, resource: Json) -> Iterator[Violation]:
        identifier = str(resource.get("id"))
        if sent.identifier and identifier != sent.identifier:
            message = f"the id is the one in the path, {sent.identifier}"
            yield Violation(name, f"{location}/id", "other-id", message, short_repr(identifier))
            return
        if not sent.identifier and self._deleted.get((sent.collection, identifier), self._ticks) < sent.began:
            yield Violation(name, f"{location}/id", "deleted", "it was deleted before", short_repr(identifier))
        for relationship, value in as_object(resource.get("relationships")).items():
            for link in linked(value):
                address = str(link.get("type")), str(link.get("id"))
                if self._deleted.get(address, self._ticks) < sent.began:
                    where, message = f"{location}/relationships/{relationship}", "it names what was deleted before"
                    yield Violation(name, where, "deleted", message, short_repr(address[1]))
        shown = values_of(resource)
        if sent.request.method in _WRITES:
            for attribute, value in _attributes_of(sent.request.content).items():
                if attribute in shown and not _same(shown[attribute], value):
                    where, message = f"{location}/attributes/{attribute}", f"{short_repr(value)} was sent"
                    yield Violation(name, where, "sent-value", message, short_repr(shown[attribute]))
        writes = self._writes.get((sent.collection, identifier), [])
        for attribute, value in shown.items():
            if (allowed := _allowed(writes, attribute, sent.began)) and not any(_same(value, one) for one in allowed):
                where = f"{location}/attributes/{attribute}"
                message = f"it is what was set before: {' or '.join(map(short_repr, allowed))}"
                yield Violation(name, where, "updated-value", message, short_repr(value))

    def _check_pages(self, sent: Sent, name: str, reading: Reading) -> Iterator[Violation]:
        """Compare a page with the others of the same list that were read since the last write to it."""
        if reading.key is None:
            return
        others = self._readings.setdefault(sent.collection, {})
        for other in others.values():
            if other.key == reading.key and other.number != reading.number:
                for index, identifier in enumerate(reading.ids):
                    if identifier in other.ids:
                        message = f"it was on page {other.number} already"
                        where = f"response.body#/data/{index}"
                        yield Violation(name, where, "repeated-over-pages", message, short_repr(identifier))
        if not self._under_way.get(sent.collection):
            others[reading.key, reading.number] = reading

    def _note(self, sent: Sent, name: str, location: str, resource: Json, *, creating: bool) -> Iterator[Violation]:
        """Remember a resource that a response contains."""
        identifier = str(resource.get("id"))
        if sent.identifier not in {"", identifier}:
            return
        address, shown = (sent.collection, identifier), values_of(resource)
        if creating and self._seen.get(address, self._ticks) < sent.began:
            message = "it was there before this request, which creates another one"
            yield Violation(name, f"{location}/id", "repeated-id", message, short_repr(identifier))
        self._seen.setdefault(address, self._ticks)
        if sent.request.method == "POST":
            values = {attribute: [value] for attribute, value in _attributes_of(sent.request.content).items()}
            sent.write = _Write(sent.began, None, values)
            self._writes.setdefault(address, []).append(sent.write)
        if sent.write is not None:
            sent.write.ended = self._ticks
            for attribute, possible in sent.write.values.items():
                # Another value than the one that was sent has been reported; it is the one that the service has.
                if attribute in shown and not _same(shown[attribute], possible[0]):
                    possible.append(shown[attribute])
            self._forget_overwritten(address)

    def _forget_overwritten(self, address: tuple[str, str]) -> None:
        """Remove the writes whose every attribute was set again, after they had ended."""
        writes = self._writes[address]
        self._writes[address] = [
            write
            for write in writes
            if write.ended is None
            or any(
                not any(
                    later.ended is not None and later.began > write.ended and attribute in later.values
                    for later in writes
                )
                for attribute in write.values
            )
        ]


def _address(operation: Operation, path: str) -> tuple[str, str]:
    """Return the collection that an operation is about, and the id in the path; empty if it is about all of it."""
    *_, collection = [part for part in operation.path.split("/") if part and "{" not in part] or [""]
    last = path.rpartition("/")[2]
    return collection, unquote(last) if operation.path.endswith("}") else ""


def _attributes_of(content: bytes) -> Json:
    """Return the attributes in a request's body."""
    try:
        return as_object(as_object(as_object(decode_json(content)).get("data")).get("attributes"))
    except ValueError:
        return {}


def _allowed(writes: list[_Write], attribute: str, began: int) -> list[Any]:
    """Return the values that an attribute may have in the response to a request; empty if any.

    Of the writes that had ended when the request left, all are overwritten before which another one had begun and
    ended. Those that are still under way may show or not.
    """
    setting = [write for write in writes if attribute in write.values]
    ended = [write for write in setting if write.ended is not None and write.ended < began]
    if not ended:
        return []
    last = max(write.began for write in ended)
    return [
        value for write in setting if write.ended is None or write.ended >= last for value in write.values[attribute]
    ]


def _same(shown: object, sent: object) -> bool:
    if shown == sent:
        return True
    first, second = read_number(shown), read_number(sent)
    if first is not None and second is not None:
        return first == second
    times = [read_time(value) if isinstance(value, str) else None for value in (shown, sent)]
    return None not in times and times[0] == times[1]

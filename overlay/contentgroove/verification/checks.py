"""How a check is written: a function of a `Probe` that returns a `Finding`, registered under its entry's id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import httpx

from .exchanges import Exchange, NotTriedError, entries, member

if TYPE_CHECKING:
    from collections.abc import Callable

    from .caller import Caller
    from .creations import Journey
    from .deliveries import Receiver
    from .ledger import Verdict

UNKNOWN_ID = "3f1c0b52-8d5e-4f0b-9a55-5b1f6d0f7e21"
"""A UUID that no service has drawn."""

RESOURCES = ("medias", "clips", "webhook_subscriptions")
_OK = 200
_NO_ACCESS = frozenset({401, 403})


class Finding(NamedTuple):
    """The result of a check.

    Attributes:
        verdict: Whether the entry is confirmed or refuted.
        seen: What was seen, in one sentence.
        exchanges: The exchanges that prove it.
    """

    verdict: Verdict
    seen: str
    exchanges: tuple[Exchange, ...]


def judge(holds: object, seen: str, *exchanges: Exchange) -> Finding:
    """Return the finding of a check: confirmed if the condition holds, else refuted."""
    return Finding("confirmed" if holds else "refuted", seen, exchanges)


Check: TypeAlias = "Callable[[Probe], Finding]"

CHECKS: dict[str, Check] = {}
"""The checks by the id of their entry."""


def check(identifier: str) -> Callable[[Check], Check]:
    """Return a decorator that registers the check of an entry."""

    def register(function: Check) -> Check:
        CHECKS[identifier] = function
        return function

    return register


class Probe:
    """What checks work with: requests to the service, and what a run has created.

    Attributes:
        caller: Sends requests.
        created: What was created for the checks; raises a `NotTriedError` without `--writes`.
        receiver: Receives webhooks; None without a callback URL.
        ended: Why no further check can be made; empty while they can.
        waited: Whether a check has waited for a webhook.
    """

    def __init__(self, caller: Caller, journey: Journey | None = None, receiver: Receiver | None = None) -> None:
        self.caller = caller
        self.receiver = receiver
        self.ended = ""
        self.waited = False
        self._journey = journey
        self._lists: dict[str, list[Any]] = {}

    @property
    def created(self) -> Journey:
        """What was created for the checks."""
        if self._journey is None:
            raise NotTriedError("Nothing was created for the checks.")
        return self._journey

    def get(self, path: str, *query: tuple[str, str]) -> Exchange:
        """GET something."""
        return self.caller.call("GET", path, query)

    def read(self, path: str, *query: tuple[str, str]) -> Exchange:
        """GET something that a check builds on; raises a `NotTriedError` if the status is not 200."""
        exchange = self.get(path, *query)
        if exchange.status != _OK:
            raise NotTriedError(f"{described(exchange)}, which this check builds on.")
        return exchange

    def list_items(self, resource: str, *query: tuple[str, str]) -> tuple[list[Any], Exchange]:
        """GET the items of a list that a check builds on, and the exchange."""
        exchange = self.read(f"/{resource}", *query)
        return items_of(exchange), exchange

    def items(self, resource: str) -> list[Any]:
        """Return items of a list, at most 100, in an order of the service's choice; read once in a run."""
        if resource not in self._lists:
            self._lists[resource] = self.list_items(resource, ("page[size]", "100"))[0]
        return self._lists[resource]

    def some(self, count: int, *resources: str) -> tuple[str, list[Any]]:
        """Return the first resource with that many items, and its items; raises a `NotTriedError` without one."""
        for resource in resources or RESOURCES:
            items = self.items(resource)
            if len(items) >= count:
                return resource, items
        names = " or ".join(resources or RESOURCES).replace("_", " ")
        raise NotTriedError(f"The account has fewer than {count} {names}." if count > 1 else f"It has no {names}.")

    def some_with(self, condition: Callable[[Any], object], what: str, *resources: str) -> tuple[str, Any]:
        """Return a resource and one of its items that satisfies a condition."""
        for resource in resources or RESOURCES:
            for item in self.items(resource):
                if condition(item):
                    return resource, item
        raise NotTriedError(f"The account has nothing {what}.")

    def subscribe_again(self) -> None:
        """Add a subscription to the list, if the run may subscribe."""
        if self._journey is not None and self._journey.callback_url is not None:
            self._journey.subscribe("again")
            del self._lists["webhook_subscriptions"]

    def write(self, method: str, path: str, attributes: dict[str, Any]) -> Exchange:
        """Send attributes."""
        return self.caller.call(method, path, body=self.created.body(attributes, path.split("/")[1]))


def described(exchange: Exchange) -> str:
    """Describe an exchange in a few words, without values."""
    return f"{exchange.method} {exchange.url.partition('?')[0]} returned {exchange.status}"


def items_of(exchange: Exchange) -> list[Any]:
    """Return the items of a list; raises a `NotTriedError` if the response is not a list."""
    data: object = exchange.data
    if not isinstance(data, list):
        raise NotTriedError(f"{described(exchange)} without a list, which this check builds on.")
    return entries(exchange.data)


def ids_of(items: list[Any]) -> list[str]:
    """Return the ids of items."""
    return [str(member(item, "id")) for item in items]


def attribute(value: Any, name: str) -> Any:
    """Return an attribute of a resource; raises a `NotTriedError` if it is missing, which another check judges."""
    attributes = member(value, "attributes")
    if not isinstance(attributes, dict) or name not in attributes:
        raise NotTriedError(f"The attribute {name} is missing (see attributes-present).")
    return cast("dict[str, Any]", attributes)[name]


def is_refusal(exchange: Exchange) -> bool:
    """Return whether the status says that the request was wrong: 4xx.

    Raises:
        NotTriedError: It says that the account may not do this at all, whatever the request contains.
    """
    if exchange.status in _NO_ACCESS:
        raise NotTriedError(f"{described(exchange)}, which says nothing about the values that were sent.")
    return httpx.codes.is_client_error(exchange.status)


def clips_named(exchange: Exchange) -> list[str]:
    """Return the ids of the clips that a media names; raises a `NotTriedError` if it names none in any way."""
    if not isinstance(member(exchange.data, "relationships", "clips", "data"), list):
        raise NotTriedError("The media has no relationship to clips (see relationships-present).")
    return ids_of(entries(exchange.data, "relationships", "clips", "data"))


def number(value: Any) -> float | None:
    """Return a number or a numeric string as a number; None for anything else."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


__all__ = [
    "CHECKS",
    "RESOURCES",
    "UNKNOWN_ID",
    "Check",
    "Finding",
    "NotTriedError",
    "Probe",
    "attribute",
    "check",
    "clips_named",
    "described",
    "ids_of",
    "is_refusal",
    "items_of",
    "judge",
    "number",
]

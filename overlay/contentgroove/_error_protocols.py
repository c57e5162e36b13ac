"""What errors say about objects of higher layers, which `errors` must not import; `errors` exports them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt


class MediaCandidate(Protocol):
    """What an error says about a media; each one is a `Media`, with all its attributes."""

    @property
    def id(self) -> str:
        """The id that calls take."""
        ...

    @property
    def name(self) -> str:
        """The name."""
        ...

    @property
    def description(self) -> str | None:
        """The free text."""
        ...

    @property
    def created_at(self) -> dt.datetime:
        """When the service created it."""
        ...


class ContractViolation(Protocol):
    """One difference between an exchange and the API's document; `str()` returns it as one line of text."""

    @property
    def operation(self) -> str | None:
        """The operationId; None if no operation matches."""
        ...

    @property
    def location(self) -> str:
        """The location, such as `request.query.limit` or `response.body#/data/attributes/name`."""
        ...

    @property
    def rule(self) -> str:
        """The name of the violated rule, such as `undeclared-field` or `enum`."""
        ...

    @property
    def message(self) -> str:
        """What the document requires."""
        ...

    @property
    def actual(self) -> str:
        """The actual value, shortened and redacted."""
        ...

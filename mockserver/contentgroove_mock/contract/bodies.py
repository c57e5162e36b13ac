"""Bodies: their media type, their JSON, their schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from contentgroove_api.types import check_levels

from contentgroove_mock.contract.schemas import pointer
from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_mock.contract.schemas import CompiledSchema, Components

_JSON = "application/json"


class BodySpec:
    """The body of a request or of an answer, as the contract describes it.

    Attributes:
        types: The media types that it may have; none if there must be no body.
    """

    def __init__(self, declaration: dict[str, Any], components: Components) -> None:
        content: dict[str, Any] = declaration.get("content", {})
        self.types = tuple(content)
        self._required = bool(declaration.get("required", False))
        self._schemas: dict[str, CompiledSchema] = {
            name: components.compiled(media["schema"]) for name, media in content.items() if "schema" in media
        }

    def check(
        self, content: bytes, media_type: str | None, operation: str, side: str, *, required: bool = False
    ) -> Iterator[Violation]:
        """Check a body.

        Args:
            content: The body, decompressed.
            media_type: The Content-Type header.
            operation: The operation's name, for violations.
            side: `request`, `response` or `webhook`.
            required: Whether there must be one even if the contract does not say so.
        """
        place = f"{side}.body"
        if not self.types:
            if content:
                message, seen = "there is no body", short_repr(content[:200])
                yield Violation(
                    operation=operation, location=place, rule="unexpected-body", message=message, actual=seen
                )
            return
        if not content:
            if self._required or required:
                message = f"a body of {' or '.join(self.types)} is required"
                yield Violation(
                    operation=operation, location=place, rule="missing-body", message=message, actual="nothing"
                )
            return
        kind = self._media_type(media_type)
        if kind is None:
            yield Violation(
                operation=operation,
                location=f"{side}.headers.content-type",
                rule="media-type",
                message=f"the body is {' or '.join(self.types)}, in UTF-8",
                actual="nothing" if media_type is None else short_repr(media_type),
            )
            return
        if kind == _JSON:
            yield from self._json(content, operation, place)

    def _media_type(self, media_type: str | None) -> str | None:
        if media_type in self.types:
            return media_type
        if media_type is None:
            return None
        kind, _, parameters = media_type.partition(";")
        parameters = parameters.strip().lower().replace('"', "")
        if parameters.startswith("charset=") and parameters != "charset=utf-8":
            return None
        kind = kind.strip().lower()
        return kind if kind in self.types else None

    def _json(self, content: bytes, operation: str, place: str) -> Iterator[Violation]:
        try:
            check_levels(content)
            value: object = msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            message = f"the body is JSON: {error}"
            seen = short_repr(content[:200])
            yield Violation(operation=operation, location=place, rule="json", message=message, actual=seen)
            return
        compiled = self._schemas.get(_JSON)
        for finding in compiled.findings(value) if compiled else ():
            yield finding.to_violation(operation, f"{place}#{pointer(finding.steps)}")

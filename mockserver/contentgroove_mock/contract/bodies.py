"""Checks of bodies: media type, JSON and schema."""

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
    """The body of a request or a response, as the contract describes it.

    Attributes:
        types: The media types that it may have; empty if there must not be a body.
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
            required: Whether a body is required even if the contract does not declare it as required.
        """
        location = f"{side}.body"
        if not self.types:
            if content:
                message, actual = "there is no body", short_repr(content[:200])
                yield Violation(
                    operation=operation, location=location, rule="unexpected-body", message=message, actual=actual
                )
            return
        if not content:
            if self._required or required:
                message = f"a body of {' or '.join(self.types)} is required"
                yield Violation(
                    operation=operation, location=location, rule="missing-body", message=message, actual="nothing"
                )
            return
        declared = self._declared_type(media_type)
        if declared is None:
            yield Violation(
                operation=operation,
                location=f"{side}.headers.content-type",
                rule="media-type",
                message=f"the body is {' or '.join(self.types)}, in UTF-8",
                actual="nothing" if media_type is None else short_repr(media_type),
            )
            return
        if declared == _JSON:
            yield from self._check_json(content, operation, location)

    def _declared_type(self, media_type: str | None) -> str | None:
        if media_type in self.types:
            return media_type
        if media_type is None:
            return None
        essence, _, parameters = media_type.partition(";")
        parameters = parameters.strip().lower().replace('"', "")
        if parameters.startswith("charset=") and parameters != "charset=utf-8":
            return None
        essence = essence.strip().lower()
        return essence if essence in self.types else None

    def _check_json(self, content: bytes, operation: str, location: str) -> Iterator[Violation]:
        try:
            check_levels(content)
            value: object = msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            message = f"the body is JSON: {error}"
            actual = short_repr(content[:200])
            yield Violation(operation=operation, location=location, rule="json", message=message, actual=actual)
            return
        compiled = self._schemas.get(_JSON)
        for finding in compiled.findings(value) if compiled else ():
            yield finding.to_violation(operation, f"{location}#{pointer(finding.steps)}")

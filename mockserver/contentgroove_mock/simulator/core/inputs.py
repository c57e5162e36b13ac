"""Reads request bodies, `{"data": {"attributes": {…}}}`, field by field, and reports all problems at once."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
from contentgroove_api.types import check_levels

from contentgroove_mock.simulator.core.errors import bad_request, unprocessable


def read_body(content: bytes, content_type: str | None) -> Fields:
    """Read a request's body.

    Raises:
        ErrorResponse: 400, as documented, if the Content-Type is missing or the body is not JSON; also (assumed) if
            the type or the JSON's structure is another.
    """
    if not content_type:
        raise bad_request("The Content-Type header is missing: send application/json.")
    if content_type.partition(";")[0].strip().lower() not in {"application/json", "application/vnd.api+json"}:
        raise bad_request("The Content-Type must be application/json.")
    try:
        check_levels(content)
        body: object = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise bad_request(f"The body is not JSON: {error}") from None
    attributes: object = body
    for member in ("data", "attributes"):
        attributes = cast("dict[str, object]", attributes).get(member) if isinstance(attributes, dict) else None
    if not isinstance(attributes, dict):
        raise bad_request('The body must be {"data": {"attributes": {…}}}.')
    return Fields(cast("dict[str, Any]", attributes))


class Fields:
    """The attributes of a request; reading them collects problems, and `check` raises them.

    A field that is omitted reads as None. Unknown fields are ignored, as in Rails.
    """

    def __init__(self, attributes: dict[str, Any]) -> None:
        self._attributes = attributes
        self._problems: list[tuple[str, str, str]] = []

    def __contains__(self, name: str) -> bool:
        return name in self._attributes

    def add_problem(self, name: str, code: str, sentence: str) -> None:
        """Record that a field is wrong."""
        self._problems.append((f"/data/attributes/{name}" if name else "/data/attributes", code, sentence))

    def check(self) -> None:
        """Raise the problems, if there are any.

        Raises:
            ErrorResponse: 422, with all problems.
        """
        if self._problems:
            raise unprocessable(self._problems)

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Read a string; a required one must not be blank."""
        value = self._attributes.get(name)
        label = name.replace("_", " ").capitalize()
        if value is None or (required and isinstance(value, str) and not value.strip()):
            if required or name in self._attributes:
                self.add_problem(name, "blank", f"{label} can't be blank")
            return None
        if not isinstance(value, str):
            self.add_problem(name, "invalid", f"{label} must be a string")
            return None
        return value

    def web_address(self, name: str, *, required: bool = False) -> str | None:
        """Read an absolute http or https URL."""
        value = self.text(name, required=required)
        if value is None or _is_web_address(value):
            return value
        label = name.replace("_", " ").capitalize()
        self.add_problem(name, "invalid", f"{label} must be an absolute http or https URL")
        return None

    def seconds(self, name: str, *, required: bool = False) -> float | None:
        """Read a time in seconds, at least 0."""
        value = self._attributes.get(name)
        label = name.replace("_", " ").capitalize()
        if value is None:
            if required or name in self._attributes:
                self.add_problem(name, "blank", f"{label} can't be blank")
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.add_problem(name, "not_a_number", f"{label} is not a number")
            return None
        if value < 0:
            self.add_problem(name, "greater_than_or_equal_to", f"{label} must be greater than or equal to 0")
            return None
        return value

    def texts(self, name: str) -> list[str] | None:
        """Read a list of strings, which may be empty."""
        value = self._attributes.get(name)
        if name not in self._attributes:
            return None
        items = cast("list[object]", value)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in items):
            self.add_problem(name, "invalid", f"{name.replace('_', ' ').capitalize()} must be a list of strings")
            return None
        return cast("list[str]", items)


def _is_web_address(value: str) -> bool:
    if not value.isascii() or any(character <= " " or character == "\x7f" for character in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False

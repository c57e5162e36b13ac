"""Reads request bodies, `{"data": {"attributes": {…}}}`, field by field, and reports all problems at once."""

from __future__ import annotations

from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
from contentgroove_api.types import check_levels

from contentgroove_mock.simulator.core.errors import bad_request, unprocessable

T = TypeVar("T")


def read_body(content: bytes, content_type: str | None) -> Fields:
    """Read a request's body.

    Raises:
        ErrorResponse: 400, if the Content-Type is missing or the body is not JSON (assumed: no-content-type-400,
            bad-json-400); also if the type or the JSON's structure is another (assumed: other-content-type-400,
            other-structure-400, json-api-type-accepted).
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

    A field that is omitted reads as None. Unknown fields are ignored, and null is refused (assumed:
    attributes-unknown-ignored, null-refused).
    """

    def __init__(self, attributes: dict[str, Any]) -> None:
        self._attributes = attributes
        self._problems: list[tuple[str, str, str]] = []

    def __contains__(self, name: str) -> bool:
        return name in self._attributes

    def add_problem(self, name: str, code: str, sentence: str) -> None:
        """Record that a field, or for an empty name the whole body, is wrong."""
        self._problems.append((f"/data/attributes/{name}" if name else "/data/attributes", code, sentence))

    def check(self) -> None:
        """Raise the problems, if there are any.

        Raises:
            ErrorResponse: 422, with all problems (assumed: values-refused-422, error-422).
        """
        if self._problems:
            raise unprocessable(self._problems)

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Read a string; a required one must not be blank."""
        return self.of_type(str, name, "must be a string", required=required)

    def of_type(self, kind: type[T], name: str, predicate: str, *, required: bool = False) -> T | None:
        """Read a value of one type; the predicate says what it must be. Of JSON's numbers, a float may be any."""
        value = self._read(name, required=required)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is None or type(value) is kind or (kind is float and is_number):
            return cast("T | None", value)
        self._add_problem_of(name, "invalid", predicate)
        return None

    def web_address(self, name: str, *, required: bool = False) -> str | None:
        """Read an absolute http or https URL."""
        value = self.text(name, required=required)
        if value is not None and not _is_web_address(value):
            self._add_problem_of(name, "invalid", "must be an absolute http or https URL")
        return value

    def seconds(self, name: str, *, required: bool = False) -> float | None:
        """Read a time in seconds, at least 0."""
        value = self._read(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._add_problem_of(name, "not_a_number", "is not a number")
        elif value < 0:
            self._add_problem_of(name, "greater_than_or_equal_to", "must be greater than or equal to 0")
        else:
            return value
        return None

    def texts(self, name: str) -> list[str] | None:
        """Read a list of strings, which may be empty."""
        if name not in self._attributes:
            return None
        value = self._attributes[name]
        if isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value)):
            return cast("list[str]", value)
        self._add_problem_of(name, "invalid", "must be a list of strings")
        return None

    def _read(self, name: str, *, required: bool) -> Any:  # any JSON value
        value = self._attributes.get(name)
        if required and isinstance(value, str) and not value.strip():
            value = None
        if value is None and (required or name in self._attributes):
            self._add_problem_of(name, "blank", "can't be blank")
        return value

    def _add_problem_of(self, name: str, code: str, predicate: str) -> None:
        self.add_problem(name, code, f"{name.replace('_', ' ').capitalize()} {predicate}")


def _is_web_address(value: str) -> bool:
    if not value.isascii() or any(character <= " " or character == "\x7f" for character in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False

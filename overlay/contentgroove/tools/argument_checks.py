"""Checks a tool's arguments against its schema, and explains in words what is wrong with them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from .results import SpecError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove._openapi.documents import Json

MAX_PROBLEMS = 5
"""Problems in one message."""

MAX_MESSAGE = 300
"""Characters for one problem: it can quote a whole value."""

CREDENTIALS = frozenset({"headers", "credentials"})
"""Arguments whose values no message quotes."""

_QUOTED = "does not match the tool's input schema"

# A pattern in a document that was added can need exponential time.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)


@functools.lru_cache(maxsize=4096)
def is_supported_pattern(pattern: str) -> bool:
    """Return whether a regular expression can be used here; some documents have those of other languages."""
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_PATTERNS)
    except ValueError:
        return False
    return True


def check_schema(schema: Any, what: str) -> None:
    """Check that a schema is one, without the schemas that it refers to.

    Raises:
        SpecError: It is not.
    """
    try:
        jsonschema_rs.meta.validate(schema)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise _invalid(what, error) from error


def compile_schema(schema: Json, what: str) -> jsonschema_rs.Validator:
    """Create the validator of a tool's arguments.

    Raises:
        SpecError: The schema is not valid.
    """
    try:
        return jsonschema_rs.Draft202012Validator(schema, pattern_options=_PATTERNS, validate_formats=False)
    except (ValueError, TypeError, RecursionError, jsonschema_rs.ReferencingError) as error:
        raise _invalid(what, error) from error


def _invalid(what: str, error: Exception) -> SpecError:
    # The first line has the reason; the others quote the schema.
    reason = str(error).partition("\n")[0][:MAX_MESSAGE]
    return SpecError(f"{what} has a schema that is not a valid JSON Schema: {reason}.")


def check_arguments(validator: jsonschema_rs.Validator, arguments: Json, tool: str) -> None:
    """Check a tool's arguments.

    Raises:
        ToolError: They do not match; the message and the details name each field.
    """
    problems: list[Json] = []
    for error in validator.iter_errors(arguments):
        for field, problem in _explain(error):
            is_credential = field.partition(".")[0] in CREDENTIALS
            problems.append({"field": field, "problem": _QUOTED if is_credential else problem[:MAX_MESSAGE]})
        if len(problems) >= MAX_PROBLEMS:
            break
    if problems:
        text = "; ".join(f"{problem['field']}: {problem['problem']}" for problem in problems)
        raise ToolError("invalid_input", f"{tool} was not called. {text}.", details=problems)


def _explain(error: jsonschema_rs.ValidationError) -> Iterator[tuple[str, str]]:
    kind: Any = error.kind
    path = [str(step) for step in error.instance_path]

    def field(*further: str) -> str:
        return ".".join((*path, *further)) or "arguments"

    match str(kind.name):
        case "required":
            yield field(kind.property), "is required"
        case "additionalProperties":
            for name in kind.unexpected:
                yield field(name), "is not known"
        case "falseSchema":
            # An object without any properties reports this instead.
            yield field(), "is not known"
        case "propertyNames":
            yield field(kind.error.instance), f"is not an allowed name: {kind.error.message}"
        case "not":
            # The rule comes first in the message; the value after it may be long, and the caller knows it.
            rule = error.message.partition(" is not allowed for ")[0]
            yield field(), f"does not match any allowed combination of members; it must not match: {rule}"
        case _:
            yield field(), error.message

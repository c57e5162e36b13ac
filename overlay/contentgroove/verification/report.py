"""Reports of a run as JSON, without credentials and without what belongs to people.

Of the exchanges that refute an entry, numbers, names of members and the texts of errors stay. Ids, times and URLs keep
only their form; every other text becomes its length, because it may be a name or a transcription.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec
from contentgroove_api.types import check_levels

from contentgroove._core.redaction import redact_echo, redact_text
from contentgroove._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contentgroove._core.secret import Secret

    from .exchanges import Exchange
    from .ledger import Assumption
    from .run import Result

MAX_EXCHANGES = 4
MAX_TEXT = 400
"""Characters of a text: those of the ledger are shorter."""

MAX_ITEMS = 3
"""Items of a list that are shown: the first ones."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_WORD = re.compile(r"[\w.*/+-]{1,60}")
_STEP = re.compile(r"[a-z_-]{0,30}|v?\d{1,12}")
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?")
_KNOWN_MEMBERS = frozenset({"type", "source_file_content_type", "media_file_content_type", "event"})
_ERROR_MEMBERS = frozenset({"status", "code", "title", "detail", "message", "pointer"})
_SHOWN_HEADERS = frozenset({"content-type", "date", "retry-after", "allow", "content-length"})
_PUBLIC_PARAMETERS = re.compile(r"sort|page\[(?:number|size)\]|size")


def report(
    results: Sequence[Result],
    ledger: Mapping[str, Assumption],
    *,
    base_url: str,
    secrets: Sequence[Secret],
    left: Sequence[str],
    now: dt.datetime,
) -> dict[str, Any]:
    """Return a report of a run.

    Args:
        results: The verdicts.
        ledger: All entries.
        base_url: The API's base URL.
        secrets: What must not be in it: the key, and the URL of a subscription.
        left: What could not be deleted.
        now: When the run ended.
    """
    counts = {
        verdict: sum(result.verdict == verdict for result in results)
        for verdict in ("confirmed", "refuted", "not tried")
    }
    document = {
        "package": f"contentgroove {__version__}",
        "date": now.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "base_url": redact_text(base_url),
        "counts": counts,
        "results": [_entry(result, ledger[result.identifier]) for result in results],
        "left": list(left),
    }
    # The last line of defence: a service may echo a credential anywhere.
    return cast("dict[str, Any]", _without(document, secrets))


def _without(value: Any, secrets: Sequence[Secret]) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {redact_echo(name, secrets): _without(item, secrets) for name, item in members.items()}
    if isinstance(value, list):
        return [_without(item, secrets) for item in cast("list[Any]", value)]
    # Cut only afterwards, because a part of a credential would not be found.
    return redact_echo(value, secrets)[:MAX_TEXT] if isinstance(value, str) else value


def _entry(result: Result, entry: Assumption) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": result.identifier,
        "verdict": result.verdict,
        "seen": seen_text(result),
        "statement": entry.statement,
    }
    if result.verdict == "refuted":
        found["if_wrong"] = entry.if_wrong
        found["exchanges"] = [_exchange(exchange) for exchange in result.exchanges[:MAX_EXCHANGES]]
    return found


def seen_text(result: Result) -> str:
    """Return what was seen, without credentials."""
    return redact_text(_UUID.sub("(id)", result.seen))


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "request": {
            "method": exchange.method,
            "url": scrub_url(exchange.url),
            "headers": {name: value for name, value in exchange.sent.items() if name.lower() in _SHOWN_HEADERS},
            "body": _body(exchange.body),
        },
        "response": {
            "status": exchange.status,
            "headers": {name: redact_text(value) for name, value in exchange.headers.items() if name in _SHOWN_HEADERS},
            "body": _body(exchange.content),
        },
    }


def _body(content: bytes) -> Any:
    if not content:
        return None
    try:
        check_levels(content)
        return scrub(json.loads(content))
    except (ValueError, RecursionError, msgspec.DecodeError):
        return f"({len(content)} bytes)"


def scrub(value: Any, name: str = "", *, in_errors: bool = False) -> Any:
    """Return JSON without what may be private; `name` is that of the member that contains it."""
    in_errors = in_errors or name == "errors"
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {key: scrub(item, key, in_errors=in_errors) for key, item in members.items()}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        shown = [scrub(item, name, in_errors=in_errors) for item in items[:MAX_ITEMS]]
        return shown if len(items) <= MAX_ITEMS else [*shown, f"({len(items) - MAX_ITEMS} more)"]
    return _text(value, name, in_errors=in_errors) if isinstance(value, str) else value


def _text(text: str, name: str, *, in_errors: bool) -> str:
    if in_errors and name in _ERROR_MEMBERS:
        return redact_text(_UUID.sub("(id)", text))
    if (name in _KNOWN_MEMBERS and _WORD.fullmatch(text)) or _NUMBER.fullmatch(text):
        return text
    if _UUID.fullmatch(text):
        return "(id)"
    if _TIME.fullmatch(text):
        return re.sub(r"\d", "0", text)
    return scrub_url(text) if "://" in text else f"({len(text)} characters)"


def _step(step: str) -> str:
    """Return a step of a path: words and small numbers stay, because the rest may be a token."""
    if _UUID.fullmatch(step):
        return "(id)"
    return step if _STEP.fullmatch(step) else f"({len(step)} characters)"


def scrub_url(url: str) -> str:
    """Return the form of a URL: its path without ids, and the names of its parameters."""
    parts = urlsplit(url)
    if parts.netloc and "/api/" not in parts.path:
        return f"({parts.scheme} URL)"
    query = "&".join(
        f"{name}={value if _PUBLIC_PARAMETERS.fullmatch(name) else f'({len(value)} characters)'}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    path = "/".join(_step(step) for step in parts.path.split("/"))
    return f"{path}?{query}" if query else path

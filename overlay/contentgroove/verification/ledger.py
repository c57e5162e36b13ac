"""Reads the ledger of assumptions, `assumptions.toml`."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the fields' types at run time
import tomllib
from importlib.resources import files
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

Strength: TypeAlias = Literal["prose", "example", "outside", "convention", "guess"]
"""How strong evidence is, from strong to weak:

- `prose`: the published document states it in words.
- `example`: an example or a schema of the published document shows it.
- `outside`: someone else's public program, written with an account, depends on it.
- `convention`: a library or standard, which the document names or resembles, does it.
- `guess`: nothing supports it; something had to be chosen.
"""

Kind: TypeAlias = Literal["reading", "writes", "callback", "none"]
"""What checking an entry takes: GET requests that create nothing; a media; a webhook; or a client cannot check it."""

Area: TypeAlias = Literal[
    "keys", "responses", "lists", "filters", "uploads", "requests", "medias", "clips", "webhooks", "limits"
]
"""What an assumption is about."""

Verdict: TypeAlias = Literal["confirmed", "refuted", "not tried"]

FILE = "assumptions.toml"


class Evidence(Struct, frozen=True, forbid_unknown_fields=True):
    """What supports an assumption.

    Attributes:
        strength: Its kind.
        source: Where to look it up: a JSON pointer or a heading of the published document, or the convention's name.
    """

    strength: Strength
    source: str


class Verified(Struct, frozen=True, forbid_unknown_fields=True):
    """The verdict of a report that was kept.

    Attributes:
        verdict: The verdict.
        on: The day of the check.
        version: The version of this package that made it.
        seen: What was seen.
    """

    verdict: Literal["confirmed", "refuted"]
    on: dt.date
    version: str
    seen: str


class Assumption(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An entry of the ledger.

    Attributes:
        area: What it is about.
        statement: What is assumed.
        evidence: What supports it, the strongest first.
        relied_on: The files that refer to the entry.
        if_wrong: What breaks if it is wrong, and what to do then.
        check: What checking it takes.
        untried: Why a client cannot check it; only if `check` is `none`.
        verified: The latest verdict that was kept.
    """

    area: Area
    statement: str
    evidence: tuple[Evidence, ...]
    relied_on: tuple[str, ...]
    if_wrong: str
    check: Kind
    untried: str = ""
    verified: Verified | None = None


def read_ledger(text: str | None = None) -> dict[str, Assumption]:
    """Return the entries by id, in the order of the file.

    Args:
        text: The ledger; by default that of this package.

    Raises:
        ValueError: The text is not a ledger; the message names the entry.
    """
    if text is None:
        text = files("contentgroove.verification").joinpath(FILE).read_text(encoding="utf-8")
    entries: dict[str, Assumption] = {}
    for identifier, table in tomllib.loads(text).items():
        try:
            entry = msgspec.convert(table, Assumption)
        except msgspec.ValidationError as error:
            raise ValueError(f"The entry {identifier} of the ledger is not valid: {error}.") from error
        if not entry.evidence or (entry.check == "none") != bool(entry.untried):
            raise ValueError(
                f"The entry {identifier} of the ledger needs evidence, and `untried` only without a check."
            )
        entries[identifier] = entry
    return entries

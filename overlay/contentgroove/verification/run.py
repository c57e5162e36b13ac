"""Runs the checks of the ledger, and deletes what they have created however a run ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

# Importing these registers their checks.
from . import bodies, clips, filters, keys, lists, medias, responses, subscriptions, uploads
from .checks import CHECKS, Finding, Probe
from .creations import Journey
from .exchanges import NotTriedError, RunEndedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from contentgroove._core.secret import Secret

    from .caller import Caller
    from .deliveries import Receiver
    from .exchanges import Exchange
    from .ledger import Assumption, Kind, Verdict

MODULES = (bodies, clips, filters, keys, lists, medias, responses, subscriptions, uploads)
"""The modules of checks."""

WAIT_SECONDS = 180.0
"""Seconds that a run waits for each media to be processed."""


class Result(NamedTuple):
    """The verdict on an entry.

    Attributes:
        identifier: The entry's id.
        verdict: The verdict.
        seen: What was seen, or why the entry was not tried.
        exchanges: The exchanges that prove it.
    """

    identifier: str
    verdict: Verdict
    seen: str
    exchanges: tuple[Exchange, ...] = ()


class Outcome(NamedTuple):
    """What a run found.

    Attributes:
        results: The results, in the order of the ledger.
        ended: Why it ended before all was tried; empty if it did not.
    """

    results: list[Result]
    ended: str


class Writing(NamedTuple):
    """What a run may create.

    Attributes:
        file: The file to upload.
        is_sample: Whether it is the sample, whose facts are known.
        callback_url: The URL to subscribe; None checks no subscriptions and webhooks.
        receiver: Receives what is sent to that URL.
        wait_seconds: How long to wait for each media.
    """

    file: bytes
    is_sample: bool
    callback_url: Secret | None = None
    receiver: Receiver | None = None
    wait_seconds: float = WAIT_SECONDS


def verify(
    caller: Caller,
    ledger: Mapping[str, Assumption],
    identifiers: Iterable[str],
    writing: Writing | None,
    on_left: Callable[[Sequence[str]], object],
) -> Outcome:
    """Check entries of the ledger against the service.

    Args:
        caller: Sends the requests.
        ledger: All entries.
        identifiers: The entries to check, in any order.
        writing: What may be created; None only reads.
        on_left: Called with the paths of what was created and could not be deleted, if there is any.

    Raises:
        RunEndedError: The service cannot be called with the key at all.
    """
    keys.find_key_form(caller)
    wanted = set(identifiers)
    entries = {identifier: entry for identifier, entry in ledger.items() if identifier in wanted}
    allowed = _allowed(writing)
    if writing is None or not any(entry.check in allowed - {"reading"} for entry in entries.values()):
        probe = Probe(caller)
        return _checked(entries, probe, allowed)
    journey = Journey(
        caller,
        writing.file,
        is_sample=writing.is_sample,
        callback_url=writing.callback_url,
        wait_seconds=writing.wait_seconds,
    )
    probe = Probe(caller, journey, writing.receiver)
    try:
        journey.start()
        return _checked(entries, probe, allowed)
    finally:
        left: Sequence[str] = ()
        try:
            left = journey.delete_all()
        finally:
            # A second interruption ends the cleanup as well.
            if left := (*left, *journey.remaining):
                on_left(left)


def _checked(entries: Mapping[str, Assumption], probe: Probe, allowed: set[Kind]) -> Outcome:
    results = [_result(identifier, entry, probe, allowed) for identifier, entry in entries.items()]
    return Outcome(results, probe.ended)


def _allowed(writing: Writing | None) -> set[Kind]:
    if writing is None:
        return {"reading"}
    return {"reading", "writes"} if writing.callback_url is None else {"reading", "writes", "callback"}


_MISSING_OPTION: dict[Kind, str] = {
    "writes": "It costs a media: pass --writes.",
    "callback": "It needs a subscription: pass --writes and --callback-url.",
}


def _result(identifier: str, entry: Assumption, probe: Probe, allowed: set[Kind]) -> Result:
    if entry.check == "none":
        return Result(identifier, "not tried", entry.untried)
    if entry.check not in allowed:
        return Result(identifier, "not tried", _MISSING_OPTION[entry.check])
    if probe.ended:
        return Result(identifier, "not tried", probe.ended)
    try:
        finding: Finding = CHECKS[identifier](probe)
    except RunEndedError as error:
        probe.ended = str(error)
        return Result(identifier, "not tried", str(error))
    except NotTriedError as error:
        return Result(identifier, "not tried", str(error))
    return Result(identifier, *finding)

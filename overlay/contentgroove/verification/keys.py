"""Checks of how the API key is sent, and of what a request without one gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checks import Finding, Probe, check, described, judge
from .exchanges import Exchange, RunEndedError, member

if TYPE_CHECKING:
    from .exchanges import Caller, KeyForm

_OK = 200
_UNAUTHORIZED = 401
_FORMS: tuple[KeyForm, ...] = ("bearer", "header", "bare")
"""The forms that a run may fall back on. In a query, the key would be in the logs of servers and proxies."""


class KeyRefusedError(RunEndedError):
    """The service takes the key in no form.

    Attributes:
        status: The status of the response.
    """

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(f"The service takes the key in no form: {described(exchange)}.")
        self.status = exchange.status


def find_key_form(caller: Caller) -> Exchange:
    """Choose a form of the key that the service takes, for all other checks, and return the exchange that shows it.

    Raises:
        KeyRefusedError: It takes none of them: the key or the URL is wrong.
        NotTriedError: It cannot be reached.
    """
    refusals: list[Exchange] = []
    for caller.key_form in _FORMS:
        exchange = caller.call("GET", "/medias", [("page[size]", "1")])
        if exchange.status == _OK:
            return exchange
        refusals.append(exchange)
    raise KeyRefusedError(refusals[0])


def _taken(probe: Probe, form: KeyForm) -> Finding:
    exchange = probe.caller.call("GET", "/medias", [("page[size]", "1")], key_form=form)
    return judge(exchange.status == _OK, f"{described(exchange)} with the key in that form.", exchange)


@check("key-bearer")
def key_bearer(probe: Probe) -> Finding:
    """Send it with the scheme."""
    return _taken(probe, "bearer")


@check("key-header")
def key_header(probe: Probe) -> Finding:
    """Send it in its own header."""
    return _taken(probe, "header")


@check("key-bare")
def key_bare(probe: Probe) -> Finding:
    """Send it without the scheme."""
    return _taken(probe, "bare")


@check("key-query")
def key_query(probe: Probe) -> Finding:
    """Send it in the query."""
    return _taken(probe, "query")


@check("links-hide-key")
def links_hide_key(probe: Probe) -> Finding:
    """Look for the parameter in the links of a response."""
    exchange = probe.caller.call("GET", "/medias", [("page[size]", "1")], key_form="query")
    if exchange.status != _OK:
        return _not_in_query(exchange)
    shown = "api_key" in str(member(exchange.json, "links"))
    return judge(not shown, f"The links {'repeat' if shown else 'do not contain'} the parameter api_key.", exchange)


def _not_in_query(exchange: Exchange) -> Finding:
    return Finding("not tried", f"{described(exchange)} with the key in the query.", (exchange,))


@check("key-missing")
def key_missing(probe: Probe) -> Finding:
    """Send none."""
    exchange = probe.caller.call("GET", "/medias", [("page[size]", "1")], key_form="none")
    return judge(exchange.status == _UNAUTHORIZED, f"{described(exchange)} without a key.", exchange)


@check("error-401")
def error_401(probe: Probe) -> Finding:
    """Read the errors that a request without a key gets."""
    exchange = probe.caller.call("GET", "/medias", [("page[size]", "1")], key_form="none")
    if exchange.succeeded:
        return Finding("not tried", f"{described(exchange)} without a key.", (exchange,))
    holds = bool(exchange.errors) and all(isinstance(member(error, "message"), str) for error in exchange.errors)
    return judge(holds, f"The body of the {exchange.status} has {'a' if holds else 'no'} message of errors.", exchange)

"""Checks of how the API key is sent, and of what a request without one gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from .checks import Finding, Probe, check, described, judge
from .exchanges import Exchange, NoJsonError, NotTriedError, RunEndedError, member

if TYPE_CHECKING:
    from .caller import Caller, KeyForm

_OK = 200
_ONE = (("page[size]", "1"),)
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_MAY_BE_KEY = frozenset({400, _UNAUTHORIZED, _FORBIDDEN})
_FORMS: tuple[KeyForm, ...] = ("bearer", "header", "bare")
"""The forms that a run may fall back on. In a query, the key would be in the logs of servers and proxies."""


class KeyRefusedError(RunEndedError):
    """The service takes the key in no form, or does not have the list of medias.

    Attributes:
        status: The status of the response.
    """

    def __init__(self, exchange: Exchange) -> None:
        refused = exchange.status in _MAY_BE_KEY
        problem = "The service takes the key in no form" if refused else "The list of medias cannot be read"
        super().__init__(f"{problem}: {described(exchange)}.")
        self.status = exchange.status


class OtherServiceError(RunEndedError):
    """Something responds, but not this API: the base URL is wrong, or a network shows its login page."""


def find_key_form(caller: Caller) -> Exchange:
    """Choose a form of the key that the service takes, for all other checks, and return the exchange that shows it.

    Raises:
        KeyRefusedError: It takes none of them: the key or the URL is wrong.
        OtherServiceError: What responds is not this API.
        NotTriedError: It cannot be reached.
    """
    refusals: list[Exchange] = []
    for form in _FORMS:
        try:
            exchange = caller.call("GET", "/medias", _ONE, key_form=form)
        except NoJsonError as error:
            raise OtherServiceError(str(error)) from None
        if exchange.status == _OK:
            if not isinstance(exchange.data, list):
                raise OtherServiceError(f"{described(exchange)} without a list of medias.")
            caller.key_form = form
            return exchange
        if httpx.codes.is_redirect(exchange.status):
            raise OtherServiceError(f"{described(exchange)}, a redirect.")
        refusals.append(exchange)
        if exchange.status not in _MAY_BE_KEY:
            break
    raise KeyRefusedError(refusals[0])


def _taken(probe: Probe, form: KeyForm) -> Finding:
    if probe.caller.call("GET", "/medias", _ONE, key_form="none").status == _OK:
        raise NotTriedError("The service takes requests without a key, so that no form of it is proven.")
    exchange = probe.caller.call("GET", "/medias", _ONE, key_form=form)
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
    exchange = probe.caller.call("GET", "/medias", _ONE, key_form="query")
    if exchange.status != _OK:
        return _not_in_query(exchange)
    shown = "api_key" in str(member(exchange.json, "links")) or probe.caller.shows_key(exchange)
    return judge(not shown, f"The response {'repeats' if shown else 'does not contain'} the key.", exchange)


def _not_in_query(exchange: Exchange) -> Finding:
    return Finding("not tried", f"{described(exchange)} with the key in the query.", (exchange,))


@check("key-missing")
def key_missing(probe: Probe) -> Finding:
    """Send none."""
    exchange = probe.caller.call("GET", "/medias", _ONE, key_form="none")
    return judge(exchange.status == _UNAUTHORIZED, f"{described(exchange)} without a key.", exchange)


@check("error-401")
def error_401(probe: Probe) -> Finding:
    """Read the errors that a request without a key gets."""
    exchange = probe.caller.call("GET", "/medias", _ONE, key_form="none")
    if exchange.succeeded:
        return Finding("not tried", f"{described(exchange)} without a key.", (exchange,))
    holds = bool(exchange.errors) and all(isinstance(member(error, "message"), str) for error in exchange.errors)
    return judge(holds, f"The body of the {exchange.status} has {'a' if holds else 'no'} message of errors.", exchange)

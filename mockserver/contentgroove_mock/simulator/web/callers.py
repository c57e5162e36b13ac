"""Who may use the control interface: programs of this machine, and the pages that the simulator itself serves.

Deliveries and requests contain tokens, so reading is held to the same rules as changing. Web pages of others are kept
out by three headers that a page cannot choose: a browser adds `Origin` to requests that change something, it says in
`Sec-Fetch-Site` how far the page is from here, and a page whose own name leads to this machine (DNS rebinding) has that
name in `Host`. Programs send neither of the first two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contentgroove._core.settings import is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request

_FOREIGN_SITES = frozenset({"cross-site", "same-site"})


def foreign_caller(request: Request) -> str | None:
    """Return why a request may come from a web page of others; None if it cannot."""
    if not _has_loopback_host(request):
        return "The control interface is only for this machine: call it at 127.0.0.1 or localhost."
    if "origin" in request.headers and not is_same_origin(request):
        return "The control interface does not accept requests from web pages of others (Origin header)."
    if request.headers.get("sec-fetch-site", "") in _FOREIGN_SITES:
        return "The control interface does not accept requests from web pages of others (Sec-Fetch-Site header)."
    return None


def is_same_origin(request: Request) -> bool:
    """Return whether a browser states that a request comes from a page which this simulator has served."""
    if not _has_loopback_host(request):
        return False
    origins, hosts = request.headers.getlist("origin"), request.headers.getlist("host")
    site = request.headers.get("sec-fetch-site")
    if not origins:
        return site == "same-origin"
    own = f"{request.url.scheme}://{hosts[0]}" if len(hosts) == 1 else None
    return [origin.lower() for origin in origins] == [own and own.lower()] and site in {None, "same-origin"}


def _has_loopback_host(request: Request) -> bool:
    hosts = request.headers.getlist("host")
    if len(hosts) != 1:
        # A program of HTTP/1.0 sends none; a browser always sends one.
        return not hosts and is_loopback(request.url.hostname or "")
    try:
        # Starlette's `request.url` has the server's own address instead of a Host that it finds malformed.
        return is_loopback(urlsplit(f"//{hosts[0]}").hostname or "")
    except ValueError:
        return False

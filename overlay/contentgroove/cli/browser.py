"""Open a URL in the user's browser."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from contentgroove._core.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Mapping


def url_problem(url: str, environment: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """Say why a URL is better not handed to a browser, None if nothing speaks against it.

    Args:
        url: The URL.
        environment: The environment variables.
        platform: `sys.platform`.
    """
    if not url.startswith(("https://", "http://")):
        return "It is no http or https URL"
    if redact_url(url) != url:
        return "It carries a credential, which a browser's command line would show to other users of this machine"
    if platform.startswith("linux") and not any(
        environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    ):
        return "There is no display"
    return None


def open_url(url: str) -> bool:
    """Open a URL; tells whether a browser took it."""
    import webbrowser

    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False

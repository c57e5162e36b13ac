"""Finds the Chromium of this machine, and starts it so that it reaches nothing but this machine.

`python -m tests.browser.chromium` prints the browser's path; without one it says what to install, and exits with 1.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
VARIABLE = "CHROMIUM"
MISSING = (
    "The browser tests need Chromium or Chrome: install it (Debian: apt-get install chromium), "
    f"or name one: {VARIABLE}=/path/to/chromium"
)

FOREIGN_HOSTS = ("evil.test", "mock.evil.test")
"""Names of web sites that lead to this machine, as an attacker's own name server could make them do."""

_FLAGS = (
    # All that Chromium asks of its makers by itself, beyond what playwright switches off.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
    "--no-proxy-server",
    "--host-resolver-rules="
    + ", ".join(f"MAP {host} 127.0.0.1" for host in FOREIGN_HOSTS)
    + ", MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


class NoBrowserError(Exception):
    """This machine has no browser that the tests can use; the message says what to do."""


def find() -> str:
    """Return the path of the browser.

    Raises:
        NoBrowserError: There is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if found := shutil.which(named):
            return found
        raise NoBrowserError(f"{VARIABLE}={named} cannot be run: name an existing Chromium, or unset the variable.")
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise NoBrowserError(MISSING)


@contextlib.contextmanager
def launched() -> Generator[Browser]:
    """Start the browser without a window, with a profile of its own that is removed at the end."""
    # Chromium refuses to run as root in its sandbox.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    # A session bus is for desktops: without one, Chromium would complain.
    env: dict[str, str | float | bool] = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find(), args=list(_FLAGS), chromium_sandbox=not is_root, env=env
        )
        try:
            yield browser
        finally:
            browser.close()


def main() -> int:
    """Print the browser's path, or what to install."""
    try:
        print(find())  # noqa: T201 - for the shell
    except NoBrowserError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for people
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

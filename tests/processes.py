"""Holds the mark `process` to what tests do: one without it that starts a process or leaves this machine fails."""

from __future__ import annotations

import ipaddress
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MARK = "process"
# What Python itself tells of these (its table of audit events); to put an end to a process is nothing new.
STARTS = frozenset({"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"})
CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


@dataclass(eq=False)
class ProcessGuard:
    """Fails tests whose marks do not say what they do.

    Attributes:
        seen: What the test that runs has done so far, in words.
        fixtures: What fixtures that live longer than a test have done: the tests that find them made need the mark as
            much as the one that had them made.
    """

    seen: list[str] = field(default_factory=list[str])
    fixtures: dict[pytest.FixtureDef[Any], str] = field(default_factory=dict["pytest.FixtureDef[Any]", str])

    def listen(self) -> None:
        """Begin to see what this process does; Python has no way to end that."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in STARTS:
            self.seen.append(f"starts a process ({event}{_program(arguments)})")
        elif event in CONNECTS and not is_here(arguments[1]):
            self.seen.append(f"leaves this machine ({event} {arguments[1]!r})")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Keep what a fixture does that later tests find made."""
        before = len(self.seen)
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function" and len(self.seen) > before:
                self.fixtures[fixturedef] = self.seen[-1]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Look at what a test's fixtures do."""
        self.seen.clear()
        result = yield
        self._require_mark(item)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Look at what a test does; what is torn down after it may be others'."""
        result = yield
        self._require_mark(item)
        return result

    def _require_mark(self, item: pytest.Item) -> None:
        if item.get_closest_marker(MARK) is not None:
            return
        done = [*self.seen, *self._done_by_fixtures(item)]
        if done:
            pytest.fail(f"{item.name} has no mark `{MARK}` and {done[0]}", pytrace=False)

    def _done_by_fixtures(self, item: pytest.Item) -> Iterator[str]:
        # pytest has no public list of the fixtures that a test has asked for by `getfixturevalue`.
        if isinstance(item, pytest.Function):
            for fixture in item._request._fixture_defs.values():
                if fixture in self.fixtures:
                    yield f"uses the fixture `{fixture.argname}`, which {self.fixtures[fixture]}"


def is_here(address: object) -> bool:
    """Tell whether an address is on this machine: loopback, a local socket, or none at all."""
    host: object = address[0] if isinstance(address, tuple) and address else None
    if not isinstance(host, str) or host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _program(arguments: tuple[Any, ...]) -> str:
    return f" {arguments[1]!r}"[:200] if len(arguments) > 1 else ""

"""The command line in an empty folder, with its own account at a simulator."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Simulator, serve

from tests.cli.conftest import QUICK, CommandLine
from tests.cli.webhooks.listener import TOKEN, Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contentgroove_mock import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A simulator that is quick; each key has its own account."""
    with serve(Simulator(policy=QUICK)) as served:
        yield served


@pytest.fixture
def cli(server: Server, tmp_path: Path) -> CommandLine:
    """The command line, in an empty folder."""
    return CommandLine(server, tmp_path)


@pytest.fixture
def listen(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Listener]]:
    """Start `listen` on a free port, with a token."""
    monkeypatch.setenv("CONTENTGROOVE_WEBHOOK_TOKEN", TOKEN)
    with ExitStack() as stack:
        yield lambda *arguments, **options: Listener.of(
            stack.enter_context(cli.started("webhooks", "listen", *arguments, **options))
        )

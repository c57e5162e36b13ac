"""Receivers under the servers of docs/deployments.md, with several processes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.platforms import FORK
from tests.webhooks.servers.deployments import COMMANDS, Deployment
from tests.webhooks.servers.harness import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.webhooks.conftest import Store

pytestmark = [pytest.mark.process, pytest.mark.slow, FORK]

# Each store meets each kind of server. `python -m tests.webhooks.servers` runs every command with both.
CASES = [(command, ("sqlite", "postgres")[index % 2]) for index, command in enumerate(COMMANDS)]


@pytest.mark.parametrize(("command", "kind"), CASES)
def test_events_survive_kills_reloads_and_stops(command: str, kind: str, make_store: Callable[[str], Store]) -> None:
    """Each accepted event is handled, none twice at the same time, and a stop hands back what it interrupts."""
    # Not pytest's folder: the path of a Unix socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="cg-") as folder:
        run(Deployment(command), make_store(kind), Path(folder))

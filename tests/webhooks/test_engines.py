"""The example with Celery of docs/webhooks.md with a real worker: events are handled, tried again and found again."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from celery.contrib.testing.worker import start_worker
from celery.signals import setup_logging

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "examples" / "celery_worker" / "shop.py"
EVENT: Final = "media.processing_finished"
LONG = 20.0

pytestmark = pytest.mark.process


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The example's module, with a broker in memory."""
    monkeypatch.setenv("SHOP_INBOX", str(tmp_path / "events.db"))
    monkeypatch.setenv("SHOP_BROKER", "memory://")
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    spec = importlib.util.spec_from_file_location("shop", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "shop", module)
    spec.loader.exec_module(module)
    # The example waits between attempts; a test need not.
    module.handle.retry_backoff = False
    module.handle.default_retry_delay = 0
    # Without a listener, Celery would replace the handlers of the tests' log.
    setup_logging.connect(_leave_the_log)
    yield module
    setup_logging.disconnect(_leave_the_log)
    module.receiver.inbox.close()
    module.queue.close()


def _leave_the_log(**_: Any) -> None: ...


class Handled:
    """A handler that fails at first, and can be waited for."""

    def __init__(self, failures: int = 0) -> None:
        self.medias: list[str] = []
        self._failures = failures
        self._changed = threading.Condition()

    def __call__(self, event: Any) -> None:
        """Handle an event."""
        with self._changed:
            if self._failures:
                self._failures -= 1
                raise LookupError("not yet")
            self.medias.append(event.media.id)
            self._changed.notify_all()

    def wait_for(self, count: int) -> bool:
        """Wait for a number of events."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.medias) >= count, LONG)


def test_celery_handles_what_is_received(shop: Any) -> None:
    """Once for each event; a failed one again; and what the broker has lost is found."""
    handled = Handled(failures=1)
    shop.receiver.on(EVENT, name="noted")(handled)
    with start_worker(shop.queue, pool="solo", perform_ping_check=False, loglevel="ERROR"):
        for media in ("m-1", "m-2", "m-1"):
            assert shop.receiver.receive(body(finished(media))).status_code == 200
        assert handled.wait_for(2)
        dispatch, shop.receiver.dispatch = shop.receiver.dispatch, None
        assert shop.receiver.receive(body(finished("m-3"))).status_code == 200
        shop.receiver.dispatch = dispatch
        assert shop.receiver.dispatch_pending(older_than=0) >= 1
        assert handled.wait_for(3)
    assert sorted(handled.medias) == ["m-1", "m-2", "m-3"]
    assert [event.state for event in shop.receiver.inbox.events()] == ["done"] * 3
    assert os.environ["SHOP_BROKER"] == "memory://"

"""Pages of others cannot use the control interface of a mock that runs on the same machine.

The pages are real, and so is the browser. What the mock did is read from the simulator itself. Each attack is also
tried on a mock without a defence, where it must succeed: otherwise it would prove nothing.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from contentgroove import ContentGroove
from contentgroove.errors import APIError
from contentgroove_mock import ManualClock, Simulator, serve

from tests.browser.attacks import ATTACKS, Attack
from tests.browser.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.sink import Sink

pytestmark = pytest.mark.process

SECRET = "canary-4f1d"
KEY = "any-key"


@dataclass(eq=False)
class Victim:
    """A mock with a delivery that holds a secret, and a media that is being processed.

    Attributes:
        port: Where it listens.
        media: The media's id.
    """

    simulator: Simulator
    clock: ManualClock
    gate: Gate
    port: int
    media: str = ""

    @property
    def client(self) -> ContentGroove:
        """A client of the mock's own user."""
        return ContentGroove(KEY, f"http://127.0.0.1:{self.port}/api/v1", max_retries=0)

    def prepare(self, sink: Sink) -> None:
        """Give it something to lose."""
        with self.client as client:
            client.webhook_subscriptions.create(url=f"{sink.origin}/hook?token={SECRET}")
            client.medias.create(source_url="https://films.test/one.mp4", name=SECRET)
            self.simulator.advance(60)
            self.media = client.medias.create(source_url="https://films.test/two.mp4", name=SECRET).id
            list(client.medias.list(filter={"name_eq": SECRET}))
        self._now = self.clock.now()
        self._requests = len(self.simulator.requests)
        assert SECRET in str(self.simulator.deliveries)
        assert list(self.changes()) == []
        self._requests = len(self.simulator.requests)
        sink.requests.clear()

    def changes(self) -> Iterator[str]:
        """Yield what has changed, as the mock's user finds it."""
        if self.clock.now() != self._now:
            yield "time"
        if len(self.simulator.requests) < self._requests:
            yield "requests"
        with self.client as client:
            try:
                if client.medias.get(self.media).is_processing is False and self.clock.now() == self._now:
                    yield "media"
            except APIError:
                yield "fault"
            try:
                client.medias.create(source_url="https://films.test/three.mp4")
            except APIError:
                yield "quota"


@contextlib.contextmanager
def attacked(sink: Sink, *, is_open: bool = False) -> Generator[Victim]:
    """Serve a mock that can be attacked; if it is open, without a defence."""
    clock = ManualClock()
    simulator = Simulator(clock=clock, control=True)
    gate = Gate(simulator)
    with serve(simulator, app=gate) as server:
        victim = Victim(simulator, clock, gate, int(server.origin.rpartition(":")[2]))
        victim.prepare(sink)
        gate.is_open = is_open
        gate.arrived.clear()
        yield victim


@pytest.fixture
def victim(sink: Sink) -> Generator[Victim]:
    with attacked(sink) as mock:
        yield mock


@pytest.fixture
def tab(browser: Browser) -> Generator[Page]:
    """A tab whose complaints are expected."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


class Pages:
    """Where pages attack from. Each function opens one, and returns the mock's origin as that page names it."""

    @staticmethod
    def other_site(tab: Page, sink: Sink, victim: Victim, _folder: Path) -> str:
        """A web site of the internet."""
        tab.goto(sink.origin.replace("127.0.0.1", "evil.test"))
        return f"http://127.0.0.1:{victim.port}"

    @staticmethod
    def other_site_by_localhost(tab: Page, sink: Sink, victim: Victim, _folder: Path) -> str:
        """The same, with the mock's other name."""
        tab.goto(sink.origin.replace("127.0.0.1", "evil.test"))
        return f"http://localhost:{victim.port}"

    @staticmethod
    def other_port(tab: Page, sink: Sink, victim: Victim, _folder: Path) -> str:
        """Another application on this machine: the same site for a browser, and not the same origin."""
        tab.goto(sink.origin)
        return f"http://127.0.0.1:{victim.port}"

    @staticmethod
    def file(tab: Page, _sink: Sink, victim: Victim, folder: Path) -> str:
        """A page that was saved to a file, such as the attachment of a mail; its origin is `null`."""
        path = folder / "attachment.html"
        path.write_text("<!DOCTYPE html><title>Invoice</title>", encoding="utf-8")
        tab.goto(path.as_uri())
        return f"http://127.0.0.1:{victim.port}"

    @staticmethod
    def rebound_name(tab: Page, _sink: Sink, victim: Victim, _folder: Path) -> str:
        """A web site whose name leads to this machine by now (DNS rebinding): for a browser, the mock is its own."""
        origin = f"http://evil.test:{victim.port}"
        # Any page of that origin will do: the attacker's own came from the same name and port before.
        tab.goto(f"{origin}/nothing")
        return origin


PAGES = {name: opened for name, opened in vars(Pages).items() if isinstance(opened, staticmethod)}


def run(attack: Attack, tab: Page, victim: Victim, target: str) -> str:
    """Run an attack to its end and return what the page read; it fails if the attack never reached the mock."""
    victim.gate.arrived.clear()
    read = tab.evaluate(attack.script, {"target": target, "media": victim.media})
    victim.gate.wait_for(attack.path.replace("{media}", victim.media))
    return str(read)


@pytest.mark.parametrize("opened", PAGES.values(), ids=PAGES)
def test_no_foreign_page_reads_or_changes_anything(
    opened: staticmethod[..., str], victim: Victim, tab: Page, sink: Sink, tmp_path: Path
) -> None:
    """Wherever the page comes from and whatever it uses: the request arrives, and has no effect."""
    target = opened(tab, sink, victim, tmp_path)
    gained: dict[str, list[str]] = {}
    for attack in ATTACKS:
        read = run(attack, tab, victim, target)
        gained[attack.name] = ["reads"] * (SECRET in read) + list(victim.changes())
    assert {name: gains for name, gains in gained.items() if gains} == {}


@pytest.mark.parametrize("opened", PAGES.values(), ids=PAGES)
def test_no_foreign_page_shows_the_page_of_the_mock(
    opened: staticmethod[..., str], victim: Victim, tab: Page, sink: Sink, tmp_path: Path
) -> None:
    """A click on a frame that cannot be seen would be the user's own, so no control is ever in a frame of others."""
    target = opened(tab, sink, victim, tmp_path)
    tab.evaluate(
        """url => new Promise(done => {
          const frame = document.createElement('iframe');
          frame.addEventListener('load', done);
          frame.src = url;
          document.documentElement.append(frame);
        })""",
        f"{target}/_mock/",
    )
    (frame,) = tab.main_frame.child_frames
    assert frame.locator("a, button, form, input").count() == 0


@pytest.mark.parametrize(
    "attack", [attack for attack in ATTACKS if attack.gain != "nothing"], ids=lambda attack: attack.name
)
def test_the_attacks_succeed_without_a_defence(attack: Attack, tab: Page, sink: Sink, tmp_path: Path) -> None:
    """On a mock that cannot tell pages from programs, the page of a rebound name reads and changes what it wants."""
    with attacked(sink, is_open=True) as victim:
        read = run(attack, tab, victim, Pages.rebound_name(tab, sink, victim, tmp_path))
        victim.gate.is_open = False
        assert ["reads"] * (SECRET in read) + list(victim.changes()) == [attack.gain]

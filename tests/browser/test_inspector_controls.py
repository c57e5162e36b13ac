"""The inspector's forms and buttons in a real browser: each does what the function of its name does in Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from contentgroove import ContentGroove
from contentgroove_mock import ManualClock, Policy, Simulator, serve
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from contentgroove_mock import Server
    from playwright.sync_api import Locator, Page

    from tests.browser.sink import Sink
    from tests.browser.watch import Watch

pytestmark = pytest.mark.process

KEY = "canary-key-of-the-browser"


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=ManualClock(), control=True, policy=Policy(queue_seconds=0, processing_seconds=60))


@pytest.fixture
def server(simulator: Simulator) -> Generator[Server]:
    with serve(simulator) as served:
        yield served


@pytest.fixture
def client(server: Server) -> Generator[ContentGroove]:
    with ContentGroove(KEY, server.base_url, max_retries=0) as client:
        yield client


@pytest.fixture
def opened(page: Page, server: Server) -> Generator[Page]:
    """The page with all forms unfolded; it is closed before the server, whose end it would report."""
    page.goto(f"{server.origin}/_mock/")
    expect(page.locator("#connection")).to_have_text("Updates arrive as they happen.")
    for summary in page.locator("#controls summary").all():
        summary.click()
    yield page
    page.close()


def form(page: Page, title: str) -> Locator:
    """Return the form with a title."""
    return page.locator("form", has=page.get_by_role("group", name=title, exact=True))


def submit(page: Page, title: str, button: str, **values: str) -> None:
    """Fill a form, submit it with Enter or its button, and wait for the outcome."""
    found = form(page, title)
    for label, value in values.items():
        found.get_by_label(label.replace("_", " "), exact=False).first.fill(value)
    found.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("#outcome")).to_have_text(f"✓ Done: {title}")


def press(page: Page, name: str) -> None:
    """Press a button, and wait for the outcome."""
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator("#outcome")).to_have_text(f"✓ Done: {name}")


def test_time_and_speed(opened: Page, simulator: Simulator, client: ContentGroove) -> None:
    """The clock moves, and new medias are as fast as was said."""
    media = client.medias.create(source_url="https://a.example/a.mp4", name="A film")
    submit(opened, "Move the clock forward", "Move", Seconds="61")
    assert client.medias.get(media.id).is_finished
    expect(opened.locator("#medias-list")).to_contain_text("✓ finished")
    submit(opened, "Speed of processing and webhooks", "Set", Processing="5", Page_size="7")
    assert (simulator.policy.processing_seconds, simulator.policy.page_size) == (5, 7)
    assert simulator.policy.queue_seconds == 0
    expect(opened.locator("#controls-list")).to_contain_text("0 s, and 5 s")
    submit(opened, "Let medias be processed until they are told to end", "Set")
    assert simulator.policy.processing_seconds is None
    submit(opened, "Latency of every response", "Set", Seconds="0.5")
    assert simulator.latency == 0.5
    expect(opened.locator("#controls-list")).to_contain_text("Latency of each response 0.5 s", use_inner_text=True)


def test_keys_and_accounts(opened: Page, simulator: Simulator, client: ContentGroove) -> None:
    """Keys are accepted and rejected, accounts are named; no key is shown."""
    submit(opened, "Accept an API key, which creates its account", "Accept", Key="canary-new-key", Name="Ann")
    (account,) = simulator.accounts
    assert (account.name, account.key_accepted) == ("Ann", True)
    press(opened, f"Reject key: account {account.id}")
    assert not simulator.accounts[0].key_accepted
    press(opened, f"Accept key: account {account.id}")
    assert simulator.accounts[0].key_accepted
    submit(opened, "Reject an API key", "Reject", Key="canary-new-key")
    assert not simulator.accounts[0].key_accepted
    submit(opened, "Accept any API key", "Accept any")
    assert simulator.accounts[0].key_accepted
    submit(opened, "Name an account", "Name", Account="Ann", New_name="Beth")
    assert simulator.accounts[0].name == "Beth"
    expect(opened.locator("#controls-list")).to_contain_text("Beth")
    assert "canary-new-key" not in opened.locator("#controls-list").inner_html()
    list(client.medias.list())
    expect(opened.locator("#controls-list tbody tr")).to_have_count(2)


def test_quota_limits_and_counters(opened: Page, simulator: Simulator, client: ContentGroove) -> None:
    """For all accounts or one, and removed again."""
    client.medias.create(source_url="https://a.example/a.mp4")
    submit(opened, "Quota in a month; without a number, no limit", "Set", Medias="3")
    assert (simulator.limits.quota.medias, simulator.limits.quota.clips) == (3, None)
    expect(opened.locator("#controls-list")).to_contain_text("1 of 3")
    submit(opened, "Requests in a window", "Set", Requests="9", Window="30")
    assert (simulator.limits.rate_limit.requests, simulator.limits.rate_limit.window_seconds) == (9, 30)
    press(opened, f"Reset counters: account {simulator.accounts[0].id}")
    assert (simulator.accounts[0].medias_made, simulator.accounts[0].window_requests) == (0, 0)
    press(opened, "Remove all quotas and limits")
    assert simulator.limits.quota.medias is None


def test_faults(opened: Page, simulator: Simulator, client: ContentGroove) -> None:
    """One is added with its details, listed, and removed."""
    found = form(opened, "Let something go wrong")
    found.get_by_label("What", exact=True).select_option("status")
    found.get_by_label("Of", exact=True).select_option("getMedias")
    found.get_by_label("After the operation was performed").check()
    submit(opened, "Let something go wrong", "Add the fault", Times="2", Status="429", Retry="7")
    (waiting,) = simulator.faults
    fault = waiting.fault
    assert (fault.kind, fault.operation, fault.count, fault.status) == ("status", "getMedias", 2, 429)
    assert (fault.retry_after, fault.after_commit, fault.drain) == ("7", True, False)
    expect(opened.locator("#controls-list")).to_contain_text("status 429, retry_after 7, after_commit True")
    press(opened, f"Remove: status, fault {waiting.id}")
    assert simulator.faults == []
    simulator.drop_next_webhook()
    press(opened, "Remove all faults that wait")
    assert simulator.faults == []
    list(client.medias.list())


def test_webhooks(opened: Page, simulator: Simulator, client: ContentGroove, sink: Sink) -> None:
    """They are lost, doubled, reordered, paused, resumed and sent again."""
    submit(opened, "Lose the next webhooks", "Lose", How="2")
    submit(opened, "Send the next webhooks twice", "Double", How="3")
    assert [(item.fault.kind, item.remaining) for item in simulator.faults] == [("lost", 2), ("duplicate", 3)]
    press(opened, "Remove all faults that wait")
    submit(opened, "Send the next webhooks last first", "Reorder", How="2")
    assert simulator.webhook_hold.coming == 2
    submit(opened, "Send what was paused or held", "Resume")
    press(opened, "Pause all webhooks")
    assert simulator.webhook_hold.paused
    expect(opened.locator("#controls-list")).to_contain_text("paused")
    client.webhook_subscriptions.create(url=f"{sink.origin}/hook")
    media = client.medias.create(source_url="https://a.example/a.mp4", name="A film")
    opened.get_by_role("button", name="A film", exact=True).click()
    press(opened, "Finish: A film")
    expect(opened.locator("#media-state")).to_contain_text("finished")
    assert sink.requests == []
    submit(opened, "Send what was paused or held", "Resume")
    assert len(sink.requests) == 1
    opened.locator("#deliveries-list button").click()
    press(opened, "Send it again")
    assert len(sink.requests) == 2
    press(opened, "Send its webhooks again: A film")
    assert len(sink.requests) == 3
    assert media.id in sink.requests[2].body.decode()


def test_medias_end_as_told(opened: Page, client: ContentGroove) -> None:
    """Held, and failed."""
    media = client.medias.create(source_url="https://a.example/a.mp4", name="A film")
    opened.get_by_role("button", name="A film", exact=True).click()
    press(opened, "Hold in processing: A film")
    expect(opened.locator("#media-facts")).to_contain_text("when it is told to")
    press(opened, "Fail: A film")
    assert client.medias.get(media.id).has_fetch_error


def test_seed_data_comes_from_a_file(opened: Page, simulator: Simulator, tmp_path: Path, watch: Watch) -> None:
    """What is wrong in it is told with its path."""
    path = tmp_path / "seeds.json"
    path.write_text(
        json.dumps({"accounts": [{"key": KEY}], "medias": [{"name": "Seeded", "account": KEY}]}), encoding="utf-8"
    )
    found = form(opened, "Add seed data")
    found.get_by_label("JSON file").set_input_files(path)
    found.get_by_role("button", name="Add").click()
    outcome = opened.locator("#outcome")
    expect(outcome).to_have_text("✓ Done: Add seed data")
    assert [media.name for media in simulator.medias] == ["Seeded"]
    expect(opened.locator("#medias-list")).to_contain_text("Seeded")
    path.write_text('{"medias": [{"nonsense": 1}]}', encoding="utf-8")
    found.get_by_label("JSON file").set_input_files(path)
    found.get_by_role("button", name="Add").click()
    expect(outcome).to_contain_text("✕ Not done: Add seed data.")
    expect(outcome).to_contain_text("$.medias[0]")
    # The browser itself reports each response that is an error.
    assert all("400" in problem for problem in watch.problems), watch.problems
    watch.problems.clear()


def test_snapshots_and_reset(opened: Page, simulator: Simulator, client: ContentGroove, tmp_path: Path) -> None:
    """Saved, restored and deleted by name, and as a file; a reset begins again."""
    client.medias.create(source_url="https://a.example/a.mp4", name="Before")
    submit(opened, "Save a snapshot under a name", "Save", Name="one, first")
    assert [item.name for item in simulator.saved_snapshots] == ["one, first"]
    with opened.expect_download() as downloading:
        opened.get_by_role("link", name="Download a snapshot as a file").click()
    path = tmp_path / "snapshot.json"
    downloading.value.save_as(path)
    submit(opened, "Reset to the start", "Reset")
    assert simulator.medias == []
    expect(opened.locator("#medias-list")).to_contain_text("There are no medias.")
    expect(opened.locator("#requests-list")).to_contain_text("There was no request yet.")
    press(opened, "Restore: snapshot one, first")
    assert [media.name for media in simulator.medias] == ["Before"]
    simulator.reset()
    found = form(opened, "Restore a snapshot from a file")
    found.get_by_label("JSON file").set_input_files(path)
    found.get_by_role("button", name="Restore").click()
    expect(opened.locator("#outcome")).to_have_text("✓ Done: Restore a snapshot from a file")
    assert [media.name for media in simulator.medias] == ["Before"]
    press(opened, "Delete: snapshot one, first")
    assert simulator.saved_snapshots == []


def test_the_log_is_emptied(opened: Page, simulator: Simulator, client: ContentGroove) -> None:
    """With what Python sees of it."""
    list(client.medias.list())
    expect(opened.locator("#requests-list")).to_contain_text("GET /api/v1/medias")
    press(opened, "Empty the log")
    assert simulator.requests == []
    expect(opened.locator("#requests-list")).to_contain_text("There was no request yet.")


def test_what_is_wrong_is_told(opened: Page, simulator: Simulator, watch: Watch) -> None:
    """In the words of the control interface; what was typed stays."""
    found = form(opened, "Let something go wrong")
    found.get_by_label("What", exact=True).select_option("lost")
    found.get_by_label("Of", exact=True).select_option("getMedias")
    found.get_by_role("button", name="Add the fault").click()
    expect(opened.locator("#outcome")).to_contain_text("The kind of a fault of getMedias must be one of latency")
    expect(found.get_by_label("What", exact=True)).to_have_value("lost")
    assert simulator.faults == []
    assert all("400" in problem for problem in watch.problems), watch.problems
    watch.problems.clear()

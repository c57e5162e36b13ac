"""What the page shows of how the simulator is set, and that its forms name functions that exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Fault, Simulator
from contentgroove_mock.simulator.web.control import list_routes

from tests.simulator.driver import KEY

if TYPE_CHECKING:
    from tests.inspector.reader import Reader
    from tests.simulator.driver import Driver

pytestmark = pytest.mark.anyio


async def test_settings_are_shown(driver: Driver, reader: Reader) -> None:
    """As they are now."""
    simulator = driver.simulator
    simulator.change_policy(processing_seconds=None, queue_seconds=7)
    simulator.latency = 0.25
    simulator.set_quota(medias=3)
    simulator.set_rate_limit(9, 30)
    simulator.set_api_keys([KEY])
    simulator.pause_webhooks()
    text = await reader.text("controls")
    assert "A media waits, and is processed 7 s, and until it is told to end" in text
    assert "Latency of each response 0.25 s" in text
    assert "Quota in a month 3 medias, any number of clips" in text
    assert "Requests in a window 9 requests in 30 s" in text
    assert "API keys 1 are accepted" in text
    assert "Webhooks paused" in text


async def test_accounts_are_shown_without_their_keys(driver: Driver, reader: Reader) -> None:
    """With counters against their limits, and whether the key is accepted."""
    driver.simulator.set_quota(medias=3)
    driver.simulator.add_api_key(KEY, name="Ann")
    await driver.media()
    text = await reader.text("controls")
    assert "Ann ✓ accepted 1 of 3 0 1 Reject key" in text
    assert KEY not in await reader.html("controls")
    driver.simulator.remove_api_key(KEY)
    assert "Ann ✕ rejected 1 of 3 0 1 Accept key" in await reader.text("controls")


async def test_faults_and_snapshots_are_listed(driver: Driver, reader: Reader) -> None:
    """What differs from the defaults is said; names stay texts."""
    driver.simulator.add_fault(Fault(kind="status", operation="getMedias", status=429, count=2, body="<b>no</b>"))
    driver.simulator.save_snapshot("<b>first</b>")
    text = await reader.text("controls")
    assert "status getMedias 2 status 429, body <b>no</b> Remove" in text
    assert "<b>first</b> 2026-01-01 00:00:00.000 0 0 Restore Delete" in text
    assert "<b>" not in await reader.html("controls")


async def test_a_change_of_the_settings_is_noticed(driver: Driver) -> None:
    """By its digest, so that open pages load it."""
    inspector = driver.simulator._inspector
    assert inspector is not None
    before = inspector.sections.digests()
    driver.simulator.save_snapshot("first")
    driver.simulator.latency = 1
    after = inspector.sections.digests()
    assert {name for name, digest in after.items() if before[name] != digest} == {"controls"}


async def test_what_only_details_show_is_noticed(driver: Driver) -> None:
    """A media that is held has the same row, and another end."""
    media = await driver.media()
    driver.simulator.advance(1)
    await driver.simulator.wait_until_idle()
    inspector = driver.simulator._inspector
    assert inspector is not None
    before = inspector.sections.digests()
    driver.simulator.hold_media(media["id"])
    assert inspector.sections.digests()["medias"] != before["medias"]


async def test_each_control_has_a_form_or_a_button(driver: Driver, reader: Reader) -> None:
    """Each names a route of the control interface, and each field is an argument of it."""
    driver.simulator.add_api_key(KEY)
    driver.simulator.add_fault(Fault(kind="expired", operation="upload"))
    driver.simulator.save_snapshot("first")
    media = await driver.finished()
    await driver.subscribe("http://127.0.0.1/hook")
    await driver.finished()
    (delivery,) = driver.simulator.deliveries
    page = (await reader.client.get("/_mock/")).text
    page += await reader.html(f"medias/{media['id']}") + await reader.html(f"deliveries/{delivery.id}")
    routes = {(route.method, route.path): route for route in list_routes(Simulator)}
    called: set[tuple[str, str]] = set()
    for method, path, fields in re.findall(r'<form [^>]*hx-(\w+)="/_mock(/[^"]*)"[^>]*>(.*?)</form>', page, re.DOTALL):
        key = (method.upper(), re.sub(r"\{\w+\}", "{id}", path))
        called.add(key)
        names = set(re.findall(r'name="(\w+)"', fields)) - set(re.findall(r"\{(\w+)\}", path))
        if method != "get":
            body = routes[key].body
            assert names <= set(() if body is None else body.__struct_fields__), path
    ids = re.compile(r"^/(accounts|faults|snapshots|medias|deliveries)/[^/]+(?=/|$)")
    for method, path in re.findall(r'<button [^>]*hx-(\w+)="/_mock(/[^"]*)"', page):
        called.add((method.upper(), ids.sub(r"/\1/{id}", path)))
    called |= {(method, path) for path, method in re.findall(r'data-file="/_mock([^"]*)" data-method="(\w+)"', page)}
    # PATCH changes as much of the policy.
    assert {key for key in routes if key[0] != "GET"} - called == {("PUT", "/policy")}
    assert {key for key in called if key[0] != "GET"} <= routes.keys()

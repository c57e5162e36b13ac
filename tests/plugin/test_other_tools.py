"""The plugin beside other tools of an application's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

pytestmark = pytest.mark.process


def test_a_frozen_time(run: Run) -> None:
    """What is decoded first while freezegun or time-machine has the time is decoded as ever, then and afterwards."""
    run(
        """
        import asyncio
        import datetime as dt

        import freezegun
        import pytest
        import time_machine

        @pytest.fixture
        def contentgroove_options(tmp_path):
            return {"state_file": tmp_path / "used"}

        def flow(client):
            media = client.medias.create(source_url="https://films.example/one.mp4")
            assert type(media.created_at).__module__ == "datetime"
            assert client.medias.wait(media).is_finished
            assert [clip.created_at.year for clip in client.clips.list(limit=1)] == [2026]

        @freezegun.freeze_time("2020-01-01")
        def test_freezegun(contentgroove_client, tmp_path):
            flow(contentgroove_client)
            from contentgroove.webhooks import parse_event
            from contentgroove_mock import Simulator, factories

            assert parse_event(factories.media_processing_finished().body).media.created_at.tzinfo is not None
            for _ in range(2):  # the second reads what the first has stored
                simulator = Simulator(state_file=tmp_path / "state")
                assert simulator.deliveries == []
                asyncio.run(simulator.aclose())

        @pytest.mark.parametrize("tick", [True, False])
        def test_time_machine(contentgroove_client, tick):
            with time_machine.travel(dt.datetime(2020, 1, 1, tzinfo=dt.UTC), tick=tick):
                flow(contentgroove_client)

        def test_afterwards(contentgroove_client):
            flow(contentgroove_client)
        """
    ).assert_outcomes(passed=4)


def test_each_backend_of_anyio(run: Run) -> None:
    """Calls, uploads and waits under trio as under asyncio, with the fixture and with an own client."""
    result = run(
        """
        import pytest
        from contentgroove import AsyncContentGroove
        from contentgroove_mock import sample_video

        @pytest.mark.anyio
        async def test_flow(async_contentgroove_client):
            media = await async_contentgroove_client.medias.upload(sample_video())
            assert (await async_contentgroove_client.medias.wait(media)).is_finished

        @pytest.mark.anyio
        async def test_own_client(contentgroove_simulator):
            async with AsyncContentGroove() as client:
                media = await client.medias.create(source_url="https://films.example/one.mp4")
                assert (await client.medias.wait(media)).is_finished

        @pytest.mark.anyio
        async def test_wrong(async_contentgroove_client):
            await async_contentgroove_client.request("GET", "/medias", query={"limit": 3})
        """,
        "-rA",
    )
    result.assert_outcomes(passed=4, failed=2)
    lines = [
        f"PASSED *::test_{name}[[]{backend}[]]" for name in ("flow", "own_client") for backend in ("asyncio", "trio")
    ]
    result.stdout.fnmatch_lines_random([*lines, "    called by *::test_wrong[[]trio[]], at *.py:18"])


def test_clients_of_a_larger_scope(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key of the environment they would call the live service: refused, unless they are mocked themselves."""
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", "canary-key")
    run(
        """
        import httpx
        import pytest
        from contentgroove import AsyncContentGroove, ConfigurationError, ContentGroove

        @pytest.fixture(scope="session")
        def shared():
            with ContentGroove() as client:
                yield client

        @pytest.fixture(scope="session")
        def mocked():
            page = {"data": [], "links": {"self": "https://api.contentgroove.com/api/v1/medias"}}
            transport = httpx.MockTransport(lambda request: httpx.Response(200, json=page))
            with httpx.Client(transport=transport) as http_client, ContentGroove(http_client=http_client) as client:
                yield client

        made_at_import = AsyncContentGroove()

        def test_shared(shared, contentgroove_simulator):
            for client in (shared, shared.with_options(max_retries=0)):
                with pytest.raises(ConfigurationError) as caught:
                    client.medias.get("some-id")
                assert "before the simulator of test_clients_of_a_larger_scope.py::test_shared" in caught.value.message
                assert "https://api.contentgroove.com/api/v1. Nothing was sent." in caught.value.message
                assert "contentgroove_base_url" in caught.value.message

        @pytest.mark.asyncio
        async def test_async(contentgroove_simulator):
            with pytest.raises(ConfigurationError, match="Nothing was sent"):
                await made_at_import.medias.get("some-id")

        def test_mocked(mocked, contentgroove_simulator):
            assert list(mocked.medias.list()) == []

        def test_own(contentgroove_simulator):
            with ContentGroove() as client:
                assert list(client.medias.list()) == []
        """
    ).assert_outcomes(passed=4)


ORDERED = """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_one(contentgroove_client, number):
    media = contentgroove_client.medias.create(source_url="https://films.example/one.mp4")
    assert contentgroove_client.medias.wait(media).is_finished
    if number == 2:
        contentgroove_client.request("GET", "/medias", query={"limit": 3})
"""


def test_any_order(run: Run) -> None:
    """With pytest-randomly and pytest-xdist, the same test fails, whatever the order and whichever the process."""
    result = run(ORDERED, "-rf", "-p", "randomly", "-n", "2")
    result.assert_outcomes(passed=5, failed=1)
    # In CI, the summary shows whole messages.
    result.stdout.fnmatch_lines_random(
        ["Using --randomly-seed=*", "FAILED *::test_one[[]2[]]*", "    called by *[[]2[]], at *.py:8"]
    )


def test_collecting_only(run: Run, pytester: pytest.Pytester) -> None:
    """Nothing ran, so that no coverage is too low, and no report replaces that of a run."""
    result = run(ORDERED, "--collect-only", "--contentgroove-fail-under=50", "--contentgroove-coverage=seen.json")
    assert result.ret == pytest.ExitCode.OK
    assert "coverage" not in result.stdout.str()
    assert not (pytester.path / "seen.json").exists()


def test_forbidden_sockets(run: Run) -> None:
    """With pytest-socket, a test states how to allow those of this machine; the allowed ones are enough."""
    source = """
        import pytest

        def test_list(contentgroove_client):
            assert list(contentgroove_client.medias.list()) == []

        @pytest.mark.enable_socket
        def test_allowed(contentgroove_client):
            assert list(contentgroove_client.medias.list()) == []
        """
    refused = run(source, "--disable-socket")
    refused.assert_outcomes(passed=1, errors=1)
    refused.stdout.fnmatch_lines(["Something forbids sockets (*--allow-hosts=127.0.0.1*enable_socket*"])
    run(source, "--allow-hosts=127.0.0.1").assert_outcomes(passed=2)

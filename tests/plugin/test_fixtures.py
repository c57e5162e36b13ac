"""The plugin's fixtures in an application's tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

pytestmark = pytest.mark.process

EXAMPLE = Path(__file__).parents[2] / "examples" / "highlights"


def test_a_test_gets_a_client_of_its_own_service(run: Run) -> None:
    """Upload, wait and clips, in no time; the next test finds an empty service."""
    run(
        """
        from contentgroove_mock import sample_video

        def test_flow(contentgroove_client, contentgroove_simulator):
            began = contentgroove_simulator.clock.now()
            media = contentgroove_client.medias.upload(sample_video(), name="Film")
            assert media.is_processing is None
            media = contentgroove_client.medias.wait(media)
            assert media.is_finished
            assert contentgroove_simulator.clock.now() > began
            assert next(iter(contentgroove_client.clips.list(filter={"media_id_eq": media.id}))).text

        def test_another(contentgroove_client):
            assert list(contentgroove_client.medias.list()) == []
        """
    ).assert_outcomes(passed=2)


def test_an_applications_own_clients_reach_it(run: Run) -> None:
    """`ContentGroove()` finds the simulator by the environment and uses its clock; afterwards neither is left."""
    result = run(
        """
        import os
        from contentgroove import ContentGroove

        def app(**settings):
            with ContentGroove(**settings) as client:
                return client.medias.wait(client.medias.create(source_url="https://films.example/one.mp4"))

        def test_default(contentgroove_simulator):
            assert app().is_finished

        def test_own_hook_and_sleep(contentgroove_simulator):
            seen, slept = [], []

            def sleep(seconds):
                slept.append(seconds)
                contentgroove_simulator.advance(seconds)

            assert app(on_request=seen.append, sleep=sleep).is_finished
            assert [str(info).split()[0] for info in seen][:2] == ["POST", "GET"]
            assert slept

        def test_nothing_is_left():
            assert "CONTENTGROOVE_BASE_URL" not in os.environ
            assert ContentGroove.__init__.__module__ == "contentgroove._sync.client"
            assert not hasattr(ContentGroove.__init__, "__wrapped__")
        """
    )
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize(("mark", "options"), [("anyio", ()), ("asyncio", ())])
def test_async_tests_of_either_plugin_get_an_async_client(
    pytester: pytest.Pytester, mark: str, options: tuple[str, ...]
) -> None:
    """Under anyio's plugin and under pytest-asyncio's strict mode; nothing is left open."""
    pytester.makeini(
        "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\naddopts = --strict-markers\n"
    )
    pytester.makepyfile(
        f"""
        import pytest
        from contentgroove import AsyncContentGroove
        from contentgroove_mock import sample_video

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.{mark}
        async def test_flow(async_contentgroove_client, contentgroove_simulator):
            media = await async_contentgroove_client.medias.upload(sample_video())
            media = await async_contentgroove_client.medias.wait(media)
            assert media.is_finished
            assert [clip.media_id async for clip in async_contentgroove_client.clips.list(limit=1)] == [media.id]

        @pytest.mark.{mark}
        async def test_own_client(contentgroove_simulator):
            async with AsyncContentGroove() as client:
                assert [media async for media in client.medias.list()] == []
        """
    )
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=2)


def test_the_simulator_can_be_chosen(run: Run) -> None:
    """Overriding one fixture sets a policy, keys, or an application that receives the webhooks in process."""
    run(
        """
        import httpx
        import pytest
        from contentgroove import AuthenticationError, ContentGroove
        from contentgroove.webhooks import MemoryInbox, WebhookReceiver

        receiver = WebhookReceiver(MemoryInbox())
        handled = []

        @receiver.on("media.processing_finished")
        def handle(event):
            handled.append(event.media.id)

        @pytest.fixture
        def contentgroove_options():
            client = httpx.AsyncClient(transport=httpx.ASGITransport(receiver.asgi))
            return {"webhook_client": client, "allow_remote_webhooks": True, "api_keys": ["simulated-key"]}

        def test_webhook(contentgroove_client):
            contentgroove_client.webhook_subscriptions.create(url="https://app.example/hook")
            media = contentgroove_client.medias.create(source_url="https://films.example/one.mp4")
            contentgroove_client.medias.wait(media)
            receiver.process_pending()
            assert handled == [media.id]

        def test_key(contentgroove_simulator):
            with ContentGroove("other-key") as client, pytest.raises(AuthenticationError):
                client.medias.get("some-id")
        """
    ).assert_outcomes(passed=2)


def test_the_contract_can_be_used(run: Run) -> None:
    """A webhook that the test made itself can be checked."""
    run(
        """
        def test_webhook(contentgroove_checker):
            (violation,) = contentgroove_checker.check_webhook(b'{"event": "media.gone"}')
            assert violation.rule == "unknown-event"
        """
    ).assert_outcomes(passed=1)


def test_it_costs_nothing_when_it_is_not_used(pytester: pytest.Pytester) -> None:
    """A test run without its fixtures imports neither the simulator nor the SDK, a web server or httpx."""
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            heavy = {"contentgroove", "starlette", "uvicorn", "jsonschema_rs", "httpx"}
            assert heavy & set(sys.modules) == set()
        """
    )
    # Other plugins of this environment import httpx.
    result = pytester.runpytest_subprocess("-p", "no:schemathesis", "-p", "no:respx", "-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)


def test_it_explains_a_missing_extra(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the packages of the extra `mock`, other tests run, and a fixture states what to install."""
    pytester.makepyfile(
        sitecustomize="""
        import sys
        sys.modules["starlette"] = sys.modules["jsonschema_rs"] = None
        """,
        test_app="""
        def test_other():
            assert True

        def test_mine(contentgroove_client):
            assert True
        """,
    )
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    result = pytester.runpytest_subprocess("-p", "no:schemathesis")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*pip install 'contentgroove?mock?'*"])
    fail_under = pytester.runpytest_subprocess("-p", "no:schemathesis", "--contentgroove-fail-under=1")
    assert fail_under.ret == pytest.ExitCode.USAGE_ERROR
    fail_under.stderr.fnmatch_lines(["ERROR: ContentGroove's pytest plugin needs *: pip install 'contentgroove?mock?'"])


def test_help_names_the_options_and_fixtures(run: Run) -> None:
    """The help of pytest shows the options, fixtures and the marker."""
    text = run("", "--help").stdout.str()
    for option in ("--contentgroove-prism", "--contentgroove-coverage=FILE", "--contentgroove-fail-under=N"):
        assert option in text
    fixtures = run("", "--fixtures").stdout.str()
    for fixture in ("contentgroove_simulator", "contentgroove_client", "async_contentgroove_client"):
        assert f"\n{fixture} -- " in fixtures
    assert "@pytest.mark.contentgroove_violations(why)" in run("", "--markers").stdout.str()


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_example_passes_its_own_tests(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Without Node, and with workers; its report lists what the application uses of the API."""
    report = tmp_path / "seen.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    command.append(f"--contentgroove-coverage={report}")
    done = subprocess.run(command, cwd=EXAMPLE, capture_output=True, encoding="utf-8", timeout=100, check=False)  # noqa: S603 - fixed command, no shell
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    seen = json.loads(report.read_text(encoding="utf-8"))
    assert set(seen["operations"]) >= {"getUploadUrl", "createMedia", "createWebhookSubscription"}
    assert seen["operations"]["createMedia"]["request_fields"] == [
        "/data/attributes/name",
        "/data/attributes/upload_id",
    ]
    assert "/payload/included/*/attributes/text" in seen["webhooks"]["media.processing_finished"]["fields"]
    assert seen["violations"] == []

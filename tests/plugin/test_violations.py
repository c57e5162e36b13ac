"""An exchange that violates the contract fails the test that made it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

pytestmark = pytest.mark.process

BROKEN = """
import httpx
import pytest

def call(client):
    client.request("GET", "/medias", query={"limit": 3})  # line 5

def test_wrong(contentgroove_client):
    call(contentgroove_client)

def test_right(contentgroove_client):
    assert list(contentgroove_client.medias.list()) == []
"""


def test_the_test_that_broke_it_fails_and_no_other(run: Run) -> None:
    """The report names the operation, location, rule, actual value, test and line, without a traceback."""
    result = run(BROKEN)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "The exchange violates the contract (1 violation):",
            "  getMedias: request.query.limit: unknown-parameter: *; seen: 3",
            "    called by *::test_wrong, at *.py:5",
        ]
    )
    assert "pytest_plugin.py" not in result.stdout.str()


def test_any_client_is_checked(run: Run) -> None:
    """Also a plain HTTP client; and if the test fails itself, the violation is reported in addition."""
    result = run(
        """
        import httpx

        def test_plain(contentgroove_base_url):
            httpx.get(contentgroove_base_url + "/films", headers={"X-API-KEY": "canary"})
            raise RuntimeError("something else")
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E * RuntimeError: something else", "*contract violations*", "request.path: unknown-path*"]
    )
    assert "canary" not in result.stdout.str().replace('{"X-API-KEY": "canary"}', "")


def test_async_callers_are_named(run: Run) -> None:
    """The line is known although the call goes through an event loop and another thread."""
    result = run(
        """
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_wrong(async_contentgroove_client):
            await async_contentgroove_client.request("GET", "/medias", query={"limit": 3})
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["    called by *::test_wrong, at *.py:9"])


def test_fixtures_that_violate_it_are_reported(run: Run) -> None:
    """A violation before the test fails the test, one after the test is an error of its teardown."""
    result = run(
        """
        import pytest

        @pytest.fixture
        def before(contentgroove_client):
            contentgroove_client.request("GET", "/medias", query={"limit": 3})

        @pytest.fixture
        def after(contentgroove_client):
            yield
            contentgroove_client.request("GET", "/medias", query={"limit": 3})

        def test_before(before):
            pass

        def test_after(after):
            pass
        """
    )
    result.assert_outcomes(failed=1, passed=1, errors=1)


def test_violating_it_on_purpose(run: Run) -> None:
    """With the marker a test may send what the contract forbids, and the response counts as seen."""
    result = run(
        """
        import httpx
        import pytest

        @pytest.mark.contentgroove_violations("how the application reads a 400")
        def test_malformed(contentgroove_base_url):
            headers = {"X-API-KEY": "k", "Content-Type": "application/json"}
            response = httpx.post(contentgroove_base_url + "/medias", content=b"{", headers=headers)
            assert response.status_code == 400
        """,
        "--contentgroove-coverage=seen.json",
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["createMedia *", "1 of *"])


def test_faults_are_not_violations(run: Run) -> None:
    """A 503 that the test requested is retried by the client and is not a violation."""
    run(
        """
        from contentgroove_mock import Fault

        def test_outage(contentgroove_client, contentgroove_simulator):
            contentgroove_simulator.add_fault(Fault(kind="status", status=503, count=2))
            contentgroove_simulator.add_fault(Fault(kind="reset"))
            assert list(contentgroove_client.medias.list()) == []
        """
    ).assert_outcomes(passed=1)


def test_receivers_are_checked(run: Run) -> None:
    """Only a 200 in time is a receiver's response that the contract has; a webhook that is never sent needs none."""
    result = run(
        """
        import httpx
        import pytest
        from contentgroove_mock import Fault, Policy

        outcomes = []

        def respond(request):
            outcome = outcomes.pop(0) if outcomes else 200
            if isinstance(outcome, Exception):
                raise outcome
            return httpx.Response(outcome, headers={"Location": "http://127.0.0.1/other"})

        async def never(request):
            import asyncio
            await asyncio.Event().wait()

        @pytest.fixture
        def contentgroove_options(request):
            handler = never if request.node.name == "test_late" else respond
            client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
            return {"webhook_client": client, "policy": Policy(webhook_timeout=0.02)}

        def finish(client, url="http://127.0.0.1/hook"):
            client.webhook_subscriptions.create(url=url)
            client.medias.wait(client.medias.create(source_url="https://films.example/one.mp4"))

        @pytest.mark.parametrize("outcome", [204, 302, 500, httpx.ReadError("gone")], ids=str)
        def test_wrong(contentgroove_client, outcome):
            outcomes[:] = [outcome]
            finish(contentgroove_client)

        def test_late(contentgroove_client):
            finish(contentgroove_client)

        def test_forgotten_by_redelivery(contentgroove_client, contentgroove_simulator):
            outcomes[:] = [500]
            finish(contentgroove_client)
            contentgroove_simulator.redeliver(contentgroove_simulator.deliveries[0].id)

        @pytest.mark.contentgroove_violations("an outage of the application")
        def test_on_purpose(contentgroove_client):
            outcomes[:] = [500]
            finish(contentgroove_client)

        @pytest.mark.parametrize("kind", ["lost", "late", "duplicate"])
        def test_faults(contentgroove_client, contentgroove_simulator, kind):
            contentgroove_simulator.add_fault(Fault(kind=kind, operation="webhook"))
            finish(contentgroove_client)

        def test_right(contentgroove_client):
            finish(contentgroove_client)
            finish(contentgroove_client, "https://app.example/hook")
        """
    )
    result.assert_outcomes(passed=5, failed=6)
    first = "  media.processing_finished: webhook.response.status: webhook-response: * 200: *; seen: "
    result.stdout.fnmatch_lines(
        [f"{first}{actual}" for actual in ("204", "302", "500", "ReadError", "no response in time", "500")]
    )
    result.stdout.fnmatch_lines(["    called by *::test_wrong[[]204[]]"])


def test_prism_as_a_second_check(run: Run) -> None:
    """With --contentgroove-prism every call goes through Prism's proxy; tests need no change."""
    result = run(
        """
        import httpx
        import pytest
        from contentgroove_mock import Fault, sample_video

        def test_flow(contentgroove_client):
            media = contentgroove_client.medias.upload(sample_video())
            assert contentgroove_client.medias.wait(media).is_finished

        def test_outage(contentgroove_client, contentgroove_simulator):
            contentgroove_simulator.add_fault(Fault(kind="status", status=503, count=2))
            contentgroove_simulator.add_fault(Fault(kind="reset"))
            assert list(contentgroove_client.clips.list()) == []

        @pytest.mark.contentgroove_violations("how the application reads a 400")
        def test_malformed(contentgroove_base_url):
            headers = {"X-API-KEY": "k", "Content-Type": "application/json"}
            response = httpx.post(contentgroove_base_url + "/medias", content=b"{", headers=headers)
            assert response.status_code == 400

        @pytest.mark.contentgroove_violations("how the application reads a 422")
        def test_invalid(contentgroove_base_url):
            response = httpx.post(contentgroove_base_url + "/medias", json={}, headers={"X-API-KEY": "k"})
            assert response.status_code == 422

        def test_wrong(contentgroove_client):
            contentgroove_client.request("GET", "/medias", query={"limit": 3})
        """,
        "--contentgroove-prism",
    )
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["    called by *::test_wrong, at *"])


def test_rejections_of_prism_are_reported(run: Run, pytester: pytest.Pytester) -> None:
    """The service never sees such a request, and the application may handle Prism's response."""
    result = run(
        """
        import httpx
        import pytest
        from contentgroove import UnprocessableEntityError

        BODY = {"data": {"type": "medias", "attributes": {"source_url": 3}}}

        def test_body(contentgroove_client):
            with pytest.raises(UnprocessableEntityError):
                contentgroove_client.request("POST", "/medias", body=BODY)  # line 9

        def test_path(contentgroove_base_url):
            assert httpx.delete(contentgroove_base_url + "/films?api_key=canary").status_code == 404

        def test_key(contentgroove_base_url):
            assert httpx.get(contentgroove_base_url + "/clips").status_code == 401
        """,
        "--contentgroove-prism",
        "--contentgroove-coverage=seen.json",
    )
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "  createMedia: request.body#/data/attributes/source_url: prism: POST /medias: * string; seen: Prism's 422",
            "    called by *::test_body, at *.py:9",
            "  request: prism: DELETE /films: Route not resolved, no path matched; seen: Prism's 404",
            "    called by *::test_path, at *.py:12",
            "  getClips: request: prism: GET /clips: Invalid security scheme used; seen: Prism's 401",
        ]
    )
    assert "canary" not in result.stdout.str().replace("/films?api_key=canary", "")
    seen = json.loads((pytester.path / "seen.json").read_text(encoding="utf-8"))
    assert len(seen["violations"]) == 3
    assert seen["operations"] == {}


def test_runs_are_followed_and_new_members_allowed(run: Run, pytester: pytest.Pytester) -> None:
    """By options or by the configuration file; a run is a test's own."""
    pytester.makeconftest(
        """
        from contentgroove_mock.simulator.core import serializers
        from contentgroove_mock.simulator.core.service import Service

        written = serializers.media_attributes
        serializers.media_attributes = lambda media, origin: {**written(media, origin), "mood": "calm"}
        Service._delete_media = lambda self, call: None
        """
    )
    source = """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_deletion(contentgroove_client, number):
            media = contentgroove_client.medias.create(source_url="https://films.example/one.mp4")
            if number == 1:
                contentgroove_client.medias.delete(media.id)
            assert contentgroove_client.medias.get(media.id).id == media.id
        """
    result = run(source, "--contentgroove-behaviour", "-o", "contentgroove_allow=mood")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "  getMediaById: response.status: deleted: * was deleted before, so the status is 404 (assumed: *",
            "    called by *::test_deletion?1?, at *.py:8",
        ]
    )
    refused = run(source, "--contentgroove-allow=getMedia:mood")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["ERROR: allow='getMedia:mood': there is no operation or event 'getMedia'. *"])


def test_replaced_records_change_no_verdict(run: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    """What a reset, a snapshot or other data removes was judged before, and what it brings back is not a mistake."""
    pytester.makeconftest(
        """
        from contentgroove_mock.simulator.core import deliveries

        written = deliveries.webhook_payload
        deliveries.webhook_payload = lambda media, clips: {**written(media, clips), "mood": media.name}
        """
    )
    source = """
        import httpx
        import pytest

        @pytest.fixture
        def contentgroove_options():
            respond = lambda request: httpx.Response(200)
            return {"seed": 1, "webhook_client": httpx.AsyncClient(transport=httpx.MockTransport(respond))}

        @pytest.mark.parametrize("way", ["reset", "restore", "replace_data"])
        def test_again(contentgroove_client, contentgroove_simulator, way):
            simulator, source = contentgroove_simulator, "https://films.example/one.mp4"
            simulator.add_api_key("unused")
            media = contentgroove_client.medias.create(source_url=source, name="old")
            snapshot = simulator.snapshot()
            contentgroove_client.medias.delete(media.id)
            if way == "reset":
                simulator.reset()
                assert contentgroove_client.medias.create(source_url=source, name="new").id == media.id
            elif way == "restore":
                simulator.restore(snapshot)
            else:
                simulator.replace_data({"accounts": [{"key": "a"}], "medias": [{"id": media.id, "account": "a"}]})
                simulator.restore(snapshot)
            assert contentgroove_client.medias.get(media.id).name in {"old", "new"}

        def test_webhook(contentgroove_client, contentgroove_simulator):
            contentgroove_client.webhook_subscriptions.create(url="http://127.0.0.1/hook")
            media = contentgroove_client.medias.create(source_url="https://films.example/one.mp4")
            contentgroove_simulator.finish_media(media.id)
            contentgroove_simulator.reset()
        """
    result = run(source, "--contentgroove-behaviour")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_webhook*"])

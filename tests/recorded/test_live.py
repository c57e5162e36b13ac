"""Recording from the service: only what was requested, nothing left behind, nothing private in a file.

A simulator on a loopback port replaces the service; nothing here was tested with the real one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
from contentgroove._core.secret import Secret
from contentgroove._core.settings import Settings
from contentgroove_mock import Fault, ManualClock, Simulator, serve
from contentgroove_mock.contract import Checker
from contentgroove_mock.recording import targets
from contentgroove_mock.recording.__main__ import main
from contentgroove_mock.recording.journey import JourneyStep, RequestSpec
from contentgroove_mock.recording.recorder import Recorder
from contentgroove_mock.recording.recordings import RecordingError, unexpected_violations, write
from contentgroove_mock.recording.scrubbing import Scrubber
from contentgroove_mock.recording.targets import LiveTarget, record_live
from contentgroove_mock.simulator.core import serializers

from tests.recorded.recordings import CONTRACT
from tests.sdk_calls import SDK_METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    from contentgroove_mock import Server
    from contentgroove_mock.recording.recorder import Result
    from contentgroove_mock.recording.recordings import Recording

pytestmark = pytest.mark.slow

KEY = "canary-key-of-a-real-account"
LISTS = ("getMedias", "getClips", "getWebhookSubscriptions")
SINGLES = ("getMediaById", "getClipById", "getWebhookSubscriptionById")
OWN = {
    operation
    for operation, made in SDK_METHODS.items()
    if made.resource in {"medias", "clips", "webhook_subscriptions", "direct_uploads"}
}
"""The operations on what the account has; it has nothing of other kinds."""
PRIVATE = ("Wedding of Ann Meyer", "ann-meyer", "For Bob", "Wedding dance", "hooks.meyer.test", "lamp")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of this machine would get the requests to loopback addresses."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def service() -> Generator[Server]:
    """Serve an account that is in use: a media with its clips, a clip, a webhook subscription."""
    simulator = Simulator(clock=ManualClock(), seed=7, api_keys={KEY})
    with serve(simulator) as server:
        with account_client(server) as client:
            source = {
                "source_url": "https://ann-meyer.test/w.mp4",
                "name": "Wedding of Ann Meyer",
                "description": "For Bob",
            }
            media = created(client, "/medias", source)
            simulator.finish_media(media)
            created(client, "/clips", {"media_id": media, "name": "Wedding dance", "start_time": 0, "end_time": 1})
            created(client, "/webhook_subscriptions", {"url": "https://hooks.meyer.test/?token=abc"})
            simulator.advance(60)
        simulator.clear_requests()
        yield server


def account_client(server: Server) -> httpx.Client:
    """Return a client of the account."""
    return httpx.Client(base_url=server.base_url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False)


def created(client: httpx.Client, path: str, attributes: dict[str, Any]) -> str:
    """Create a resource and return its id."""
    response = client.post(path, json={"data": {"attributes": attributes}})
    identifier: str = response.json()["data"]["id"]
    return identifier


def resource_ids(server: Server) -> dict[str, list[str]]:
    """Return the ids of all resources of the account."""
    with account_client(server) as client:
        return {
            path: sorted(item["id"] for item in client.get(path).json()["data"])
            for path in ("/medias", "/clips", "/webhook_subscriptions")
        }


def settings(server: Server, key: str = KEY) -> Settings:
    """Return the settings of a client of the service."""
    return Settings(server.base_url, Secret(key), "bearer", "test")


def recorded(server: Server, *, writes: bool = False) -> Result:
    """Record; waiting moves the service's clock."""
    return record_live(CONTRACT, settings(server), writes=writes, sleep=server.simulator.advance)


def no_wait(seconds: float) -> None:
    """Fail, because nothing should wait."""
    pytest.fail(f"waited {seconds} s")


def names(recordings: Iterable[Recording]) -> set[str]:
    """Return the names of recordings of what the account has."""
    return {recording.name for recording in recordings if recording.operation in OWN}


def test_reading_changes_nothing(service: Server) -> None:
    """Without `writes`, only GETs that prepare nothing are sent, and all of them are recorded."""
    before = resource_ids(service)
    service.simulator.clear_requests()
    result = recorded(service)
    sent = {(record.method, record.operation) for record in service.simulator.requests}
    assert {method for method, _ in sent} == {"GET"}
    assert "getUploadUrl" not in {operation for _, operation in sent}
    assert resource_ids(service) == before
    assert names(result.recordings) == {
        *(f"{name}-{status}-live" for name in LISTS for status in (200, 400, 401)),
        *(f"{name}-{status}-live" for name in SINGLES for status in (200, 401, 404)),
        "getMedias-200-empty-live",
    }
    assert {recording.origin for recording in result.recordings} == {"live"}


def test_what_was_skipped_is_reported(service: Server) -> None:
    """Failures that would do harm, and everything that writes, with the option that would record it."""
    skipped = recorded(service).skipped
    assert "getMedias-429" in skipped["a 429 is not provoked"]
    assert "getClipById-500" in skipped["a 500 is not provoked"]
    (writing,) = (names for reason, names in skipped.items() if "WRITES=1 records it" in reason)
    assert {"createMedia-200", "getUploadUrl-401", "updateClipById-422", "deleteMediaById-204"} < set(writing)
    assert not any(name.startswith(("getMedia", "getClip", "getWebhook")) for name in writing)


def test_writing_leaves_nothing_behind(service: Server) -> None:
    """With `writes`, every response that needs no broken service is recorded, and everything is deleted again."""
    before = resource_ids(service)
    result = recorded(service, writes=True)
    assert resource_ids(service) == before
    assert result.not_deleted == []
    covered = {(recording.operation, recording.status) for recording in result.recordings}
    calls = {pair for pair in CONTRACT.response_specs() if pair[0] in OWN}
    assert calls - covered == {pair for pair in calls if pair[1] in {402, 429, 500}}


@pytest.mark.parametrize("writes", [False, True])
def test_nothing_private_is_recorded(service: Server, *, writes: bool) -> None:
    """No key, text, host, real id or time of the account; and the result still matches the contract."""
    before = resource_ids(service)
    checker = Checker()
    for recording in recorded(service, writes=writes).recordings:
        text = write(recording)
        for word in (KEY, *PRIVATE, "127.0.0.1", *(item for ids in before.values() for item in ids)):
            assert word not in text, recording.name
        assert unexpected_violations(recording, checker) == []


def test_the_account_s_texts_would_be_found(service: Server) -> None:
    """The same responses contain them before they are scrubbed: the test above can fail."""
    with account_client(service) as client:
        texts = "".join(client.get(path).text for path in ("/medias", "/clips", "/webhook_subscriptions"))
    assert [word for word in PRIVATE if word not in texts] == []


@pytest.mark.parametrize(
    "operation", ["getUploadUrl", "createClip", "updateMediaById", "deleteClipById", "getMediaById"]
)
def test_resources_are_deleted_after_a_failure(service: Server, operation: str) -> None:
    """The connection breaks: recording ends with an error, and what was created is deleted."""
    before = resource_ids(service)
    service.simulator.add_fault(Fault(kind="reset", operation=operation, count=2))
    with pytest.raises(RecordingError, match="got no response"):
        recorded(service, writes=True)
    service.simulator.clear_faults()
    assert resource_ids(service) == before


def test_what_cannot_be_deleted_is_named(service: Server) -> None:
    """The media's id is reported, so that a person can delete it."""
    before = resource_ids(service)["/medias"]
    service.simulator.add_fault(Fault(kind="status", operation="deleteMediaById", status=503, count=99))
    result = recorded(service, writes=True)
    service.simulator.clear_faults()
    (left,) = set(resource_ids(service)["/medias"]) - set(before)
    assert result.not_deleted == [f"DELETE /medias/{left}: the response was 503; delete it by hand"]


def test_what_remains_after_a_failure_is_named(service: Server) -> None:
    """Recording fails, and so does the deletion: the error contains both."""
    service.simulator.add_fault(Fault(kind="reset", operation="getClipById"))
    service.simulator.add_fault(Fault(kind="reset", operation="deleteClipById", count=99))
    with pytest.raises(
        RecordingError, match=r"got no response .* Not deleted: DELETE /clips/\S+: .+ delete it by hand"
    ):
        recorded(service, writes=True)


def test_a_store_that_rejects(service: Server) -> None:
    """The status is reported, the presigned URL is not."""
    service.simulator.add_fault(Fault(kind="status", operation="upload", status=403))
    with pytest.raises(RecordingError, match="store rejected the sample video with 403") as caught:
        recorded(service, writes=True)
    assert "X-Amz" not in str(caught.value)


def test_processing_that_does_not_end(service: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting has a limit, the error names the resource, and everything is deleted."""
    monkeypatch.setattr(targets, "_POLLS", 3)
    before, waits = resource_ids(service), list[float]()
    with pytest.raises(RecordingError, match="media was not processed within"):
        record_live(CONTRACT, settings(service), writes=True, sleep=waits.append)
    assert len(waits) == 3
    assert resource_ids(service) == before


def test_resources_are_deleted_after_an_interruption(service: Server) -> None:
    """Ctrl+C while waiting ends the recording, but only after what was created is deleted."""
    before = resource_ids(service)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt(seconds)

    with pytest.raises(KeyboardInterrupt):
        record_live(CONTRACT, settings(service), writes=True, sleep=interrupt)
    assert resource_ids(service) == before


def test_an_empty_account() -> None:
    """There are no resources; error responses are still recorded."""
    with serve(Simulator(clock=ManualClock(), api_keys={KEY})) as server:
        result = recorded(server)
    assert "getClipById-200" in result.skipped["there is no clip to request"]
    assert names(result.recordings) == {
        "getMedias-200-empty-live",
        *(f"{name}-400-live" for name in LISTS),
        *(f"{name}-404-live" for name in SINGLES),
    }


@pytest.mark.parametrize("status", [200, 201])
def test_an_unexpected_creation_is_deleted(status: int) -> None:
    """The service accepts what it should reject: nothing is recorded under the wrong name, and it is deleted."""
    deleted: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            deleted.append(request.url.path)
            return httpx.Response(204)
        return httpx.Response(status, json={"data": {"id": "made", "type": "medias", "attributes": {}}})

    result = walk(
        handle, JourneyStep(operation="createMedia", status=422, request=RequestSpec(attributes={"upload_id": "none"}))
    )
    assert result.recordings == []
    assert result.skipped == {f"the response was {status}": ["createMedia-422"]}
    assert deleted == ["/api/v1/medias/made"]
    assert result.not_deleted == []


def test_what_another_key_created_is_deleted_with_it() -> None:
    """The service accepts an unknown key, whose resources cannot be found with the account's own key."""
    with serve(Simulator(clock=ManualClock())) as server:
        recorded(server, writes=True)
        with httpx.Client(base_url=server.base_url, trust_env=False) as client:
            for key in (KEY, "no-key-that-any-account-has"):
                responses = [
                    client.get(path, headers={"X-API-KEY": key}) for path in ("/medias", "/webhook_subscriptions")
                ]
                assert [item.json()["data"] for item in responses] == [[], []]


@pytest.mark.parametrize("body", [b'{"data": {}}', b"[]", b"not JSON", b""])
def test_a_creation_without_an_id_is_named(body: bytes) -> None:
    """Something was created that cannot be deleted by its id."""
    result = walk(
        lambda _request: httpx.Response(200, content=body),
        JourneyStep(operation="createMedia", status=422, request=RequestSpec(attributes={"upload_id": "none"})),
    )
    assert result.not_deleted == ["createMedia returned 200 without an id; find it by hand"]


def test_a_response_without_json_is_not_recorded() -> None:
    """It is reported instead."""
    result = walk(
        lambda _request: httpx.Response(401, html="<h1>No</h1>"),
        JourneyStep(operation="getMedias", status=401, request=RequestSpec()),
    )
    assert (result.recordings, result.skipped) == ([], {"the response was 401 without JSON": ["getMedias-401"]})


def walk(handle: Callable[[httpx.Request], httpx.Response], *steps: JourneyStep) -> Result:
    """Walk steps with a function as the service."""
    base_url = "https://api.contentgroove.test/api/v1"
    with httpx.Client(base_url=base_url, transport=httpx.MockTransport(handle)) as client:
        target = LiveTarget(client, Secret(KEY), no_wait)
        return Recorder(target, CONTRACT, Scrubber(base_url, secrets=[Secret(KEY)], keep_words=False)).walk(steps)


def test_the_key_is_checked_first(service: Server) -> None:
    """A key that the service rejects ends the recording at once, and the message does not contain it."""
    with pytest.raises(RecordingError, match="responded to GET /medias with 401") as caught:
        record_live(CONTRACT, settings(service, "another-canary"), writes=True, sleep=no_wait)
    assert "another-canary" not in str(caught.value)
    assert {record.method for record in service.simulator.requests} == {"GET"}


def test_a_wrong_base_url(service: Server) -> None:
    """A response that is not a list shows that the base URL is wrong."""
    service.simulator.add_fault(Fault(kind="status", operation="getMedias", status=404))
    with pytest.raises(RecordingError, match="responded to GET /medias with 404"):
        recorded(service)
    with respx.mock() as network:
        network.get(f"{service.base_url}/medias").respond(html="<h1>Welcome</h1>")
        with pytest.raises(RecordingError, match=r"response to GET /medias is not a list.+CONTENTGROOVE_BASE_URL"):
            recorded(service)
        # A redirect is not followed: it would send the key to another host.
        network.get(f"{service.base_url}/medias").respond(302, headers={"location": "https://other.test/"})
        with pytest.raises(RecordingError, match="responded to GET /medias with 302"):
            recorded(service, writes=True)
        assert {call.request.url.host for call in network.calls} == {"127.0.0.1"}


def test_an_unreachable_service(service: Server) -> None:
    """The error reports it."""
    gone = Settings(service.origin.rpartition(":")[0] + ":9/api/v1", Secret(KEY), "bearer", "test")
    with pytest.raises(RecordingError, match="Cannot reach the service"):
        record_live(CONTRACT, gone, writes=False, sleep=no_wait)


class TestCommand:
    """The command line."""

    def test_live(
        self, service: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It reads key and base URL from the environment, writes only live recordings, and reports what it skipped."""
        monkeypatch.setenv("CONTENTGROOVE_API_KEY", KEY)
        monkeypatch.setenv("CONTENTGROOVE_BASE_URL", service.base_url)
        before = (tmp_path / "getMedias-200.json", tmp_path / "other.json")
        for path in before:
            path.write_text("{}", encoding="utf-8")
        assert main([str(tmp_path), "--live"]) == 0
        output = capsys.readouterr()
        assert KEY not in output.out + output.err
        assert output.out.startswith(f"Recording from {service.base_url}\n")
        assert "getMedias-429, getMediaById-429" in output.out
        assert ": a 429 is not provoked\n" in output.out
        made = set(tmp_path.glob("*.json")) - set(before)
        assert len({path for path in made if path.name.partition("-")[0] in OWN}) == 19
        count = f"{len(made)} recordings, {len(made)} of them changed."
        assert output.out.endswith(f"{count} Review them before you commit them.\n")
        assert {json.loads(path.read_text(encoding="utf-8"))["origin"] for path in made} == {"live"}
        assert [path.read_text(encoding="utf-8") for path in before] == ["{}", "{}"]

    def test_undeclared_fields_are_reported(
        self, service: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The service returns a field that the contract lacks: it is recorded, and reported at once."""
        monkeypatch.setenv("CONTENTGROOVE_API_KEY", KEY)
        monkeypatch.setenv("CONTENTGROOVE_BASE_URL", service.base_url)

        def with_mood(*arguments: Any, **named: Any) -> dict[str, Any]:
            return media_attributes(*arguments, **named) | {"mood": "For Bob"}

        media_attributes = serializers.media_attributes
        monkeypatch.setattr(serializers, "media_attributes", with_mood)
        assert main([str(tmp_path), "--live"]) == 0
        output = capsys.readouterr().out
        assert "contract violation: getMediaById-200-live: getMediaById: response.body" in output
        text = (tmp_path / "getMediaById-200-live.json").read_text(encoding="utf-8")
        assert '"mood": "scrubbed mood"' in text
        assert "For Bob" not in output + text

    def test_what_remains_fails_the_command(
        self, service: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Something that was created is left in the account: the exit status is 1."""
        monkeypatch.setenv("CONTENTGROOVE_API_KEY", KEY)
        monkeypatch.setenv("CONTENTGROOVE_BASE_URL", service.base_url)
        service.simulator.add_fault(Fault(kind="status", operation="deleteMediaById", status=503, count=99))
        assert main([str(tmp_path), "--live", "--writes"], sleep=service.simulator.advance) == 1
        assert "error: not deleted: DELETE /medias/" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("environment", "message"),
        [
            ({}, "There is no API key"),
            ({"CONTENTGROOVE_API_KEY": KEY, "CONTENTGROOVE_BASE_URL": "http://api.test/api/v1"}, "in clear text"),
        ],
    )
    def test_an_unsafe_or_missing_setting_is_rejected(
        self,
        environment: dict[str, str],
        message: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """No key, or one that would be sent in clear text: nothing is sent, nothing is written."""
        for name in ("CONTENTGROOVE_API_KEY", "CONTENTGROOVE_BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert main([str(tmp_path), "--live"]) == 1
        error = capsys.readouterr().err
        assert message in error
        assert KEY not in error
        assert list(tmp_path.iterdir()) == []

    def test_writes_are_for_the_service(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """An option without effect is an error."""
        with pytest.raises(SystemExit):
            main([str(tmp_path), "--writes"])
        assert "--writes needs --live" in capsys.readouterr().err

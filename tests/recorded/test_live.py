"""Recording from the service: only what is asked for, nothing left behind, nothing private in a file.

A simulator on a loopback port stands in for the service; nothing here has met the real one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
from contentgroove._core.settings import Settings
from contentgroove_mock import Fault, ManualClock, Simulator, serve
from contentgroove_mock.contract import Checker
from contentgroove_mock.recording import live
from contentgroove_mock.recording.__main__ import main
from contentgroove_mock.recording.contract_check import unexpected_violations
from contentgroove_mock.recording.exchange import RecordingError, write
from contentgroove_mock.recording.journey import JourneyStep, RequestSpec
from contentgroove_mock.recording.live import LiveTarget, record_live
from contentgroove_mock.recording.recorder import Recorder
from contentgroove_mock.recording.scrubbing import Scrubber
from contentgroove_mock.simulator.core import serializers

from tests.recorded.recordings import CONTRACT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    from contentgroove_mock import Server
    from contentgroove_mock.recording.exchange import Recording
    from contentgroove_mock.recording.recorder import Result

pytestmark = pytest.mark.slow

KEY = "canary-key-of-a-real-account"
LISTS = ("getMedias", "getClips", "getWebhookSubscriptions")
SINGLES = ("getMediaById", "getClipById", "getWebhookSubscriptionById")
PRIVATE = ("Wedding of Ann Meyer", "ann-meyer", "For Bob", "Wedding dance", "hooks.meyer.test", "lamp")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of this machine's would be asked for loopback addresses."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def service() -> Generator[Server]:
    """A service with an account that is in use: a media with its clips, a clip, a webhook subscription."""
    simulator = Simulator(clock=ManualClock(), seed=7, api_keys={KEY})
    with serve(simulator) as server:
        with own(server) as client:
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


def own(server: Server) -> httpx.Client:
    """A client of the account."""
    return httpx.Client(base_url=server.base_url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False)


def created(client: httpx.Client, path: str, attributes: dict[str, Any]) -> str:
    """Create something; gives its id."""
    response = client.post(path, json={"data": {"attributes": attributes}})
    identifier: str = response.json()["data"]["id"]
    return identifier


def holdings(server: Server) -> dict[str, list[str]]:
    """The ids of all that the account has."""
    with own(server) as client:
        return {
            path: sorted(item["id"] for item in client.get(path).json()["data"])
            for path in ("/medias", "/clips", "/webhook_subscriptions")
        }


def settings(server: Server, key: str = KEY) -> Settings:
    """What a client of the service is set up with."""
    return Settings(server.base_url, key, "bearer", "test")


def recorded(server: Server, *, writes: bool = False) -> Result:
    """Record; to wait is to move the service's clock."""
    return record_live(CONTRACT, settings(server), writes=writes, sleep=server.simulator.advance)


def no_wait(seconds: float) -> None:
    """Fail: nothing that this is for should wait."""
    pytest.fail(f"waited {seconds} s")


def names(recordings: Iterable[Recording]) -> set[str]:
    """The names of recordings."""
    return {recording.name for recording in recordings}


def test_reading_changes_nothing(service: Server) -> None:
    """Without leave to write, only GETs that prepare nothing are sent, and all of them are recorded."""
    before = holdings(service)
    service.simulator.clear_requests()
    result = recorded(service)
    sent = {(record.method, record.operation) for record in service.simulator.requests}
    assert {method for method, _ in sent} == {"GET"}
    assert "getUploadUrl" not in {operation for _, operation in sent}
    assert holdings(service) == before
    assert names(result.recordings) == {
        *(f"{name}-{status}-live" for name in LISTS for status in (200, 400, 401)),
        *(f"{name}-{status}-live" for name in SINGLES for status in (200, 401, 404)),
        "getMedias-200-empty-live",
    }
    assert {recording.origin for recording in result.recordings} == {"live"}


def test_what_was_left_out_is_told(service: Server) -> None:
    """Failures that would hurt, and everything that writes, with the switch that would record it."""
    left_out = recorded(service).left_out
    assert "getMedias-429" in left_out["a 429 is not brought about on purpose"]
    assert "getClipById-500" in left_out["a 500 is not brought about on purpose"]
    (writing,) = (names for reason, names in left_out.items() if "WRITES=1 records it" in reason)
    assert {"createMedia-200", "getUploadUrl-401", "updateClipById-422", "deleteMediaById-204"} < set(writing)
    assert not any(name.startswith(("getMedia", "getClip", "getWebhook")) for name in writing)


def test_writing_leaves_nothing_behind(service: Server) -> None:
    """With leave to write, every answer that nothing has to be broken for is recorded, and all is deleted again."""
    before = holdings(service)
    result = recorded(service, writes=True)
    assert holdings(service) == before
    assert result.not_deleted == []
    shown = {(recording.operation, recording.status) for recording in result.recordings}
    calls = {pair for pair in CONTRACT.response_specs() if not CONTRACT.operations[pair[0]].callback}
    assert calls - shown == {pair for pair in calls if pair[1] in {402, 429, 500}}


@pytest.mark.parametrize("writes", [False, True])
def test_nothing_private_is_recorded(service: Server, *, writes: bool) -> None:
    """No key, no word, no host, no real id or time of the account; and what is left still fits the contract."""
    before = holdings(service)
    checker = Checker()
    for recording in recorded(service, writes=writes).recordings:
        text = write(recording)
        for word in (KEY, *PRIVATE, "127.0.0.1", *(item for ids in before.values() for item in ids)):
            assert word not in text, recording.name
        assert unexpected_violations(recording, checker) == []


def test_the_account_s_words_would_be_seen(service: Server) -> None:
    """The same answers hold them before they are scrubbed: the test above can fail."""
    with own(service) as client:
        texts = "".join(client.get(path).text for path in ("/medias", "/clips", "/webhook_subscriptions"))
    assert [word for word in PRIVATE if word not in texts] == []


@pytest.mark.parametrize(
    "operation", ["getUploadUrl", "createClip", "updateMediaById", "deleteClipById", "getMediaById"]
)
def test_a_failure_in_the_middle_is_cleaned_up(service: Server, operation: str) -> None:
    """The connection breaks: recording ends with an error, and what was created is gone."""
    before = holdings(service)
    service.simulator.add_fault(Fault(kind="reset", operation=operation, count=2))
    with pytest.raises(RecordingError, match="got no answer"):
        recorded(service, writes=True)
    service.simulator.clear_faults()
    assert holdings(service) == before


def test_what_cannot_be_deleted_is_named(service: Server) -> None:
    """The media's id is told, so that a person can delete it."""
    before = holdings(service)["/medias"]
    service.simulator.add_fault(Fault(kind="status", operation="deleteMediaById", status=503, count=99))
    result = recorded(service, writes=True)
    service.simulator.clear_faults()
    (left,) = set(holdings(service)["/medias"]) - set(before)
    assert result.not_deleted == [f"DELETE /medias/{left}: the answer was 503; delete it by hand"]


def test_what_remains_after_a_failure_is_named(service: Server) -> None:
    """Recording fails, and so does cleaning up: the error holds both."""
    service.simulator.add_fault(Fault(kind="reset", operation="getClipById"))
    service.simulator.add_fault(Fault(kind="reset", operation="deleteClipById", count=99))
    with pytest.raises(RecordingError, match=r"got no answer .* Not deleted: DELETE /clips/\S+: .+ delete it by hand"):
        recorded(service, writes=True)


def test_a_store_that_refuses(service: Server) -> None:
    """The status is told, the presigned URL is not."""
    service.simulator.add_fault(Fault(kind="status", operation="upload", status=403))
    with pytest.raises(RecordingError, match="store answered 403") as caught:
        recorded(service, writes=True)
    assert "X-Amz" not in str(caught.value)


def test_processing_that_does_not_end(service: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting has a limit, names what it waited for, and cleans up."""
    monkeypatch.setattr(live, "_POLLS", 3)
    before, waits = holdings(service), list[float]()
    with pytest.raises(RecordingError, match="media was not processed within"):
        record_live(CONTRACT, settings(service), writes=True, sleep=waits.append)
    assert len(waits) == 3
    assert holdings(service) == before


def test_an_interruption_is_cleaned_up(service: Server) -> None:
    """Ctrl+C while waiting ends the recording, but not before what was created is gone."""
    before = holdings(service)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt(seconds)

    with pytest.raises(KeyboardInterrupt):
        record_live(CONTRACT, settings(service), writes=True, sleep=interrupt)
    assert holdings(service) == before


def test_an_empty_account() -> None:
    """There is nothing to show one of; refusals are recorded all the same."""
    with serve(Simulator(clock=ManualClock(), api_keys={KEY})) as server:
        result = recorded(server)
    assert "getClipById-200" in result.left_out["there is no clip to ask about"]
    assert names(result.recordings) == {
        "getMedias-200-empty-live",
        *(f"{name}-400-live" for name in LISTS),
        *(f"{name}-404-live" for name in SINGLES),
    }


@pytest.mark.parametrize("status", [200, 201])
def test_a_refusal_that_creates_is_deleted(status: int) -> None:
    """The service takes what it was expected to refuse: nothing is recorded under the wrong name, and it goes."""
    deleted: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            deleted.append(request.url.path)
            return httpx.Response(204)
        return httpx.Response(status, json={"data": {"id": "made", "type": "medias", "attributes": {}}})

    result = walk(
        handle, JourneyStep(operation="createMedia", status=422, ask=RequestSpec(attributes={"upload_id": "none"}))
    )
    assert result.recordings == []
    assert result.left_out == {f"the answer was {status}": ["createMedia-422"]}
    assert deleted == ["/api/v1/medias/made"]
    assert result.not_deleted == []


def test_what_another_key_created_is_deleted_with_it() -> None:
    """The service takes a key that nobody has: what that created is not to be found with the account's own."""
    with serve(Simulator(clock=ManualClock())) as server:
        recorded(server, writes=True)
        with httpx.Client(base_url=server.base_url, trust_env=False) as client:
            for key in (KEY, "no-key-that-any-account-has"):
                answers = [
                    client.get(path, headers={"X-API-KEY": key}) for path in ("/medias", "/webhook_subscriptions")
                ]
                assert [item.json()["data"] for item in answers] == [[], []]


@pytest.mark.parametrize("body", [b'{"data": {}}', b"[]", b"not JSON", b""])
def test_a_creation_without_an_id_is_named(body: bytes) -> None:
    """Something was made that cannot be deleted by its id."""
    result = walk(
        lambda _request: httpx.Response(200, content=body),
        JourneyStep(operation="createMedia", status=422, ask=RequestSpec(attributes={"upload_id": "none"})),
    )
    assert result.not_deleted == ["createMedia answered 200 without an id; look for it"]


def test_an_answer_that_is_no_json_is_not_recorded() -> None:
    """It is told instead."""
    result = walk(
        lambda _request: httpx.Response(401, html="<h1>No</h1>"),
        JourneyStep(operation="getMedias", status=401, ask=RequestSpec()),
    )
    assert (result.recordings, result.left_out) == ([], {"the answer was 401 that is no JSON": ["getMedias-401"]})


def walk(handle: Callable[[httpx.Request], httpx.Response], *steps: JourneyStep) -> Result:
    """Walk steps with a function for a service."""
    base_url = "https://api.contentgroove.test/api/v1"
    with httpx.Client(base_url=base_url, transport=httpx.MockTransport(handle)) as client:
        place = LiveTarget(client, KEY, no_wait)
        return Recorder(place, CONTRACT, Scrubber(base_url, secrets=[KEY], keep_words=False)).walk(steps)


def test_the_key_is_tried_first(service: Server) -> None:
    """A key that the service does not take ends it at once, and the message does not show it."""
    with pytest.raises(RecordingError, match="answered GET /medias with 401") as caught:
        record_live(CONTRACT, settings(service, "another-canary"), writes=True, sleep=no_wait)
    assert "another-canary" not in str(caught.value)
    assert {record.method for record in service.simulator.requests} == {"GET"}


def test_an_address_of_something_else(service: Server) -> None:
    """An answer that is no list shows that the base URL is wrong."""
    service.simulator.add_fault(Fault(kind="status", operation="getMedias", status=404))
    with pytest.raises(RecordingError, match="answered GET /medias with 404"):
        recorded(service)
    with respx.mock() as network:
        network.get(f"{service.base_url}/medias").respond(html="<h1>Welcome</h1>")
        with pytest.raises(RecordingError, match=r"answer to GET /medias is no list.+CONTENTGROOVE_BASE_URL"):
            recorded(service)
        # A redirect is not followed: it would carry the key elsewhere.
        network.get(f"{service.base_url}/medias").respond(302, headers={"location": "https://other.test/"})
        with pytest.raises(RecordingError, match="answered GET /medias with 302"):
            recorded(service, writes=True)
        assert {call.request.url.host for call in network.calls} == {"127.0.0.1"}


def test_a_service_that_is_not_there(service: Server) -> None:
    """The error says so."""
    gone = Settings(service.origin.rpartition(":")[0] + ":9/api/v1", KEY, "bearer", "test")
    with pytest.raises(RecordingError, match="cannot be reached"):
        record_live(CONTRACT, gone, writes=False, sleep=no_wait)


class TestCommand:
    """The command line."""

    def test_live(
        self, service: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It takes key and address from the environment, writes only live recordings, and says what it left out."""
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
        assert ": a 429 is not brought about on purpose\n" in output.out
        assert output.out.endswith("19 recordings, 19 of them changed. Read them before you commit them.\n")
        made = set(tmp_path.glob("*.json")) - set(before)
        assert len(made) == 19
        assert {json.loads(path.read_text(encoding="utf-8"))["origin"] for path in made} == {"live"}
        assert [path.read_text(encoding="utf-8") for path in before] == ["{}", "{}"]

    def test_what_the_contract_does_not_say_is_told(
        self, service: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The service answers a field that the contract lacks: that is recorded, and told at once."""
        monkeypatch.setenv("CONTENTGROOVE_API_KEY", KEY)
        monkeypatch.setenv("CONTENTGROOVE_BASE_URL", service.base_url)

        def with_mood(*arguments: Any, **named: Any) -> dict[str, Any]:
            return media_attributes(*arguments, **named) | {"mood": "For Bob"}

        media_attributes = serializers.media_attributes
        monkeypatch.setattr(serializers, "media_attributes", with_mood)
        assert main([str(tmp_path), "--live"]) == 0
        output = capsys.readouterr().out
        assert "not as the contract says: getMediaById-200-live: getMediaById: response.body" in output
        text = (tmp_path / "getMediaById-200-live.json").read_text(encoding="utf-8")
        assert '"mood": "scrubbed mood"' in text
        assert "For Bob" not in output + text

    def test_what_remains_fails_the_command(
        self, service: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Something of ours is left in the account: the exit status says so."""
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
    def test_what_is_unsafe_or_missing_is_refused(
        self,
        environment: dict[str, str],
        message: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """No key, or one that would travel in clear text: nothing is sent, nothing is written."""
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
        """A switch without effect is an error."""
        with pytest.raises(SystemExit):
            main([str(tmp_path), "--writes"])
        assert "--writes is for --live" in capsys.readouterr().err

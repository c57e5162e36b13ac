"""The targets of recording: the simulator, directly or through Prism's proxy, and the service itself.

The simulator's recordings are completed by the contract's examples: of every success, because they come from the
provider and are the closest thing to the service's real responses, and of failures without another recording.

The service is called with a key. Its recordings are scrubbed, and nothing is left behind in the account; nothing is
created, changed or deleted unless `writes` is set. A 402, 429 or 500 is never provoked.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import msgspec
from contentgroove._core.secret import Secret
from contentgroove._core.tracebacks import drop_frames
from msgspec import UNSET

from contentgroove_mock import Fault, ManualClock, Simulator, serve
from contentgroove_mock.recording.journey import HOOK_URL, USUAL, JourneyStep, RequestSpec, journey, sent_texts
from contentgroove_mock.recording.recorder import Recorder, Result
from contentgroove_mock.recording.recordings import RecordedResponse, Recording, RecordingError, Request, make_recording
from contentgroove_mock.recording.scrubbing import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator
    from contextlib import AbstractContextManager

    from contentgroove._core.settings import Settings
    from contentgroove._openapi.operations import Operation

    from contentgroove_mock.recording.contract import PackagedContract
    from contentgroove_mock.recording.journey import Action, WaitUntilProcessed
    from contentgroove_mock.recording.recordings import Origin

_SIMULATED_TIMEOUT = 20.0
_LIVE_TIMEOUT = 60.0
_POLL_SECONDS = 5.0
_POLLS = 240
_WRITES = (
    "it creates, changes or deletes; WRITES=1 records it with a media, a clip and a webhook subscription of its own, "
    "which count toward the account's quota and are deleted at the end; the account's webhooks report the media"
)
_LISTS = {"media": "/medias", "clip": "/clips", "subscription": "/webhook_subscriptions"}
_ID = "9b9a2e82-5b47-4f59-831d-4c239824b983"
_JSON = {"content-type": "application/json"}


SIMULATED_KEY = Secret("recording")


@dataclass
class SimulatedTarget:
    """The simulator, on a clock that only moves to finish processing."""

    simulator: Simulator
    client: httpx.Client
    direct_client: httpx.Client
    origin: Origin = "simulator"
    key: Secret = SIMULATED_KEY

    @contextlib.contextmanager
    def provoke_status(self, status: int) -> Generator[None]:
        """Set a limit or a fault while the context is entered."""
        if status == HTTPStatus.PAYMENT_REQUIRED:
            self.simulator.set_quota(medias=0, clips=0)
        elif status == HTTPStatus.TOO_MANY_REQUESTS:
            self.simulator.set_rate_limit(0)
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.simulator.add_fault(Fault(kind="status", status=status))
        yield
        self.simulator.set_quota()
        self.simulator.set_rate_limit(None)
        self.simulator.clear_faults()

    def finish(self, step: WaitUntilProcessed, is_finished: Callable[[], bool]) -> None:
        """Move the clock forward."""
        self.simulator.advance(60)
        if not is_finished():
            raise RecordingError(f"The simulator did not finish {step.resource} within a minute of its clock.")


def record(contract: PackagedContract, *, through_prism: bool) -> list[Recording]:
    """Record every documented response and every webhook with the simulator, and the examples of every success.

    Two runs return the same recordings, with and without Prism's proxy, which checks requests and responses.

    Raises:
        RecordingError: Something documented is available neither from the simulator nor from an example.
        contentgroove_mock.npm.NpmError: Prism did not start.
    """
    delivered: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        delivered.append(request)
        return httpx.Response(200)

    simulator = Simulator(
        clock=ManualClock(),
        api_keys={SIMULATED_KEY.reveal()},
        webhook_client=httpx.AsyncClient(transport=httpx.MockTransport(receive)),
        allow_remote_webhooks=True,
    )
    with (
        serve(simulator) as server,
        _recorded_url(contract, server.base_url, through_prism=through_prism) as base_url,
        httpx.Client(base_url=base_url, timeout=_SIMULATED_TIMEOUT, trust_env=False) as client,
        httpx.Client(base_url=server.base_url, timeout=_SIMULATED_TIMEOUT, trust_env=False) as direct_client,
    ):
        may_stay = sent_texts() | contract.listed_values
        scrubber = Scrubber(server.base_url, secrets=[SIMULATED_KEY], sent=may_stay, keep_words=True)
        target = SimulatedTarget(simulator, client, direct_client)
        # What no operation creates is there from the start.
        known = _existing_id(direct_client, SIMULATED_KEY)
        result = Recorder(target, contract, scrubber).walk(journey(contract), known)
    if result.not_deleted:
        raise RecordingError(f"The simulator did not delete everything: {'; '.join(result.not_deleted)}")
    if result.skipped:
        sentences = [f"{', '.join(names)}: {reason}" for reason, names in result.skipped.items()]
        raise RecordingError(
            "The simulator does not return everything that recording/journey.py expects. Change one of them. "
            f"{'; '.join(sentences)}"
        )
    # The first media was uploaded, the second one fetched; the third one fails, so it has no webhook.
    recordings = result.recordings
    for request, variant in zip(delivered, (None, "url"), strict=True):
        body = json.loads(request.content)
        headers = {"content-type": request.headers["content-type"]}
        sent = Request(method=request.method, path=request.url.path, headers=headers, body=body)
        # The service's texts are in the request here; a scrubber treats both sides alike.
        exchange = scrubber.scrub(sent, RecordedResponse())
        recordings.append(make_recording(contract, body["event"], 200, exchange, variant=variant, origin=target.origin))
    recordings += examples(contract, {recording.key for recording in recordings})
    if missing := contract.response_specs() - {recording.key for recording in recordings}:
        names = ", ".join(f"{operation}-{status}" for operation, status in sorted(missing))
        raise RecordingError(
            f"The contract documents {names}, but nothing provides it. Add an example to the contract, or a step to "
            "recording/journey.py that the simulator responds to with it."
        )
    return recordings


@contextlib.contextmanager
def _recorded_url(contract: PackagedContract, upstream: str, *, through_prism: bool) -> Generator[str]:
    if not through_prism:
        yield upstream
        return
    from contentgroove_mock.prism import Prism

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "contract.json")
        path.write_text(json.dumps(contract.document), encoding="utf-8", newline="\n")
        with Prism.proxy(path, upstream) as prism:
            yield prism.base_url


def examples(contract: PackagedContract, recorded: Collection[tuple[str, int]]) -> Iterator[Recording]:
    """Yield recordings of examples: of all successes, and of failures that are not yet recorded."""
    for name, operation in contract.operations.items():
        for status in contract.statuses(name):
            example = contract.example(name, status)
            if example is None or (status >= HTTPStatus.BAD_REQUEST and (name, status) in recorded):
                continue
            if operation.callback:
                request = Request(method=operation.method, path=urlsplit(HOOK_URL).path, headers=_JSON, body=example)
                exchange = request, RecordedResponse()
            else:
                exchange = _request(operation, example), RecordedResponse(headers=_JSON, body=example)
            yield make_recording(contract, name, status, exchange, variant="example", origin="spec example")


def _request(operation: Operation, example: dict[str, Any]) -> Request:
    """Return a request that the example is a response to: the usual one, for the example's own resource."""
    data: Any = example.get("data")
    # The request for a list names none of its items.
    resource: dict[str, Any] = {} if data is None or isinstance(data, list) else data
    known: dict[str, Any] = dict(resource.get("attributes", {}))
    if media := resource.get("relationships", {}).get("media"):
        known["media_id"] = media["data"]["id"]
    usual = USUAL.get(operation.operation_id, RequestSpec()).attributes or {}
    sent: dict[str, Any] = {}
    for name, value in usual.items():
        default = _ID if isinstance(value, str) and value.startswith("{") else value
        sent[name] = default if known.get(name) is None else known[name]
    return Request(
        method=operation.method,
        path=operation.path.replace("{id}", str(resource.get("id", _ID))),
        headers=_JSON if sent else {},
        body={"data": {"attributes": sent}} if sent else UNSET,
    )


class _Item(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Item]


@dataclass
class LiveTarget:
    """The service, called directly: nothing else sees the key."""

    client: httpx.Client
    key: Secret
    sleep: Callable[[float], object]
    origin: Origin = "live"

    def __post_init__(self) -> None:
        self.direct_client = self.client

    def provoke_status(self, status: int) -> AbstractContextManager[object] | None:
        """Return None for statuses that would use up quota or break the service."""
        return None if status in {402, 429} or status >= HTTPStatus.INTERNAL_SERVER_ERROR else contextlib.nullcontext()

    def finish(self, step: WaitUntilProcessed, is_finished: Callable[[], bool]) -> None:
        """Poll until the resource is processed."""
        for _ in range(_POLLS):
            if is_finished():
                return
            self.sleep(_POLL_SECONDS)
        raise RecordingError(
            f"The {step.resource} was not processed within {_POLLS * _POLL_SECONDS / 60:.0f} minutes. Nothing was "
            "written. Try again later."
        )


def record_live(
    contract: PackagedContract, settings: Settings, *, writes: bool, sleep: Callable[[float], object]
) -> Result:
    """Record with the service; with `writes`, a media, a clip and a webhook subscription are created and deleted.

    Raises:
        RecordingError: The service cannot be reached, rejects the key, or does not finish processing.
    """
    key = settings.current_key()
    # Without redirects: they would send the key to other hosts.
    with httpx.Client(base_url=settings.base_url, timeout=_LIVE_TIMEOUT, follow_redirects=False) as client:
        known = _existing_id(client, key)
        may_stay = sent_texts() | contract.listed_values
        scrubber = Scrubber(settings.base_url, secrets=[key], sent=may_stay, keep_words=False)
        recorder = Recorder(LiveTarget(client, key, sleep), contract, scrubber)
        actions = list(journey(contract))
        reading = [action for action in actions if _is_read_only(action, contract)]
        result = recorder.walk(actions if writes else reading, {} if writes else known)
    if not writes:
        for action in actions:
            if isinstance(action, JourneyStep) and not (action.simulated or action in reading):
                result.skip(f"{action.operation}-{action.status}", _WRITES)
    return result


def _is_read_only(action: Action, contract: PackagedContract) -> bool:
    return (
        isinstance(action, JourneyStep)
        and not action.simulated
        and action.operation != "getUploadUrl"  # a GET that prepares an upload
        and contract.operations[action.operation].method == "GET"
    )


def _existing_id(client: httpx.Client, key: Secret) -> dict[str, str]:
    """Return the id of one resource of each kind in the account; this also shows that the key works."""
    found: dict[str, str] = {}
    for name, path in _LISTS.items():
        try:
            response = client.get(path, headers={"authorization": f"Bearer {key.reveal()}"})
        except httpx.HTTPError as error:
            drop_frames(error, None)
            raise RecordingError(f"Cannot reach the service: {type(error).__name__}. Nothing was recorded.") from error
        if response.status_code != HTTPStatus.OK:
            raise RecordingError(
                f"The service responded to GET {path} with {response.status_code}. Nothing was recorded. Check "
                "CONTENTGROOVE_API_KEY and CONTENTGROOVE_BASE_URL."
            )
        try:
            items = msgspec.json.decode(response.content, type=_List).data
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RecordingError(
                f"The service's response to GET {path} is not a list. Nothing was recorded. Check "
                "CONTENTGROOVE_BASE_URL."
            ) from error
        if items:
            found[name] = items[0].id
    return found

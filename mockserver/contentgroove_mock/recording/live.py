"""Record with the service itself: with a key, scrubbed, and without leaving anything behind in the account.

Nothing is created, changed or deleted unless `writes` is set. A 402, 429 or 500 is never provoked.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx
import msgspec

from contentgroove_mock.recording.journey import JourneyStep, journey, sent_texts
from contentgroove_mock.recording.recorder import Recorder, Result, send_sample
from contentgroove_mock.recording.recordings import RecordingError
from contentgroove_mock.recording.scrubbing import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from contentgroove._core.settings import Settings

    from contentgroove_mock.recording.contract import PackagedContract
    from contentgroove_mock.recording.journey import Action, WaitUntilProcessed
    from contentgroove_mock.recording.recordings import Origin

_LIVE_TIMEOUT = 60.0
_POLL_SECONDS = 5.0
_POLLS = 240
_OK = 200
# A GET that prepares an upload.
_CREATES = "getUploadUrl"
_NOT_PROVOKED = frozenset({402, 429})
_FIRST_SERVER_ERROR = 500
_WRITES = (
    "it creates, changes or deletes; WRITES=1 records it with a media, a clip and a webhook subscription of its own, "
    "which count toward the account's quota and are deleted at the end; the account's webhooks report the media"
)
_LISTS = {"media": "/medias", "clip": "/clips", "subscription": "/webhook_subscriptions"}


class _Item(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Item]


class LiveTarget:
    """The service, called directly: nothing else sees the key."""

    origin: Origin = "live"
    simulated = False

    def __init__(self, client: httpx.Client, key: str, sleep: Callable[[float], object]) -> None:
        self.client = client
        self.direct_client = client
        self.key = key
        self._sleep = sleep

    def provoke_status(self, status: int) -> AbstractContextManager[object] | None:
        """Return None for statuses that would use up quota or break the service."""
        if status in _NOT_PROVOKED or status >= _FIRST_SERVER_ERROR:
            return None
        return contextlib.nullcontext()

    def finish(self, step: WaitUntilProcessed, is_finished: Callable[[], bool]) -> None:
        """Poll until the resource is processed."""
        for _ in range(_POLLS):
            if is_finished():
                return
            self._sleep(_POLL_SECONDS)
        raise RecordingError(
            f"The {step.resource} was not processed within {_POLLS * _POLL_SECONDS / 60:.0f} minutes. Nothing was "
            "written. Try again later."
        )

    def send_file(self, url: str) -> None:
        """Send the sample video, without the key."""
        send_sample(url, trust_env=True)


def record_live(
    contract: PackagedContract, settings: Settings, *, writes: bool, sleep: Callable[[float], object]
) -> Result:
    """Record with the service.

    Args:
        contract: The contract to record.
        settings: The service's base URL and the key.
        writes: Whether a media, a clip and a webhook subscription may be created, changed and deleted again.
        sleep: The function that waits for processing.

    Returns:
        The recordings, what was skipped, and what was created and could not be deleted.

    Raises:
        RecordingError: The service cannot be reached, rejects the key, or does not finish processing.
    """
    key = settings.key()
    # Without redirects: they would send the key to other hosts.
    with httpx.Client(base_url=settings.base_url, timeout=_LIVE_TIMEOUT, follow_redirects=False) as client:
        known = _existing_id(client, key)
        scrubber = Scrubber(settings.base_url, secrets=[key], sent=sent_texts(), keep_words=False)
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
        and action.operation != _CREATES
        and contract.operations[action.operation].method == "GET"
    )


def _existing_id(client: httpx.Client, key: str) -> dict[str, str]:
    """Return the id of one resource of each kind in the account; this also shows that the key works."""
    found: dict[str, str] = {}
    for name, path in _LISTS.items():
        try:
            response = client.get(path, headers={"authorization": f"Bearer {key}"})
        except httpx.HTTPError as error:
            raise RecordingError(f"Cannot reach the service: {type(error).__name__}. Nothing was recorded.") from error
        if response.status_code != _OK:
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

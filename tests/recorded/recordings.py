"""The committed recordings, and their replay for the SDK."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from contentgroove_mock.recording.contract import PackagedContract
from contentgroove_mock.recording.recordings import load
from msgspec import UNSET

from tests.sdk_calls import IDS, SDK_METHODS

if TYPE_CHECKING:
    from contentgroove_mock.recording.recordings import Recording

FOLDER = Path(__file__).with_name("exchanges")
CONTRACT = PackagedContract.load_packaged()
RECORDINGS = load(FOLDER)
DELIVERIES = {name: item for name, item in RECORDINGS.items() if CONTRACT.operations[item.operation].callback}
CALLS = {name: item for name, item in RECORDINGS.items() if name not in DELIVERIES}

BASE_URL = "https://service.example/api/v1"
KEY = "canary-key-of-the-replay"


@dataclass(frozen=True)
class SdkCall:
    """A call of the SDK that makes the recorded request.

    Attributes:
        exact: True if its body is the recorded one.
    """

    resource: str
    method: str
    arguments: list[str]
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    exact: bool = True

    def on(self, client: Any) -> Any:
        """Make the call."""
        return getattr(getattr(client, self.resource), self.method)(*self.arguments, **self.options)


def sdk_call(recording: Recording) -> SdkCall:
    """Return the call of the SDK that makes the recorded request."""
    made = SDK_METHODS[recording.operation]
    arguments = [recording.request.path.rpartition("/")[2]] if made.takes_id else []
    options = _query(recording.request.query)
    fits_sdk = recording.request_fault is None or bool(options)
    if recording.request.body is not UNSET and fits_sdk:
        options |= recording.request.body["data"]["attributes"]
    elif not fits_sdk:
        # What was recorded, malformed JSON or null for a name, is never sent.
        options |= made.attributes(IDS)
    return SdkCall(made.resource, made.method, arguments, options, exact=fits_sdk)


def response(recording: Recording) -> httpx.Response:
    """Return the recorded response."""
    return httpx.Response(recording.status, headers=recording.response.headers, content=recording.response.content)


def request(recording: Recording) -> httpx.Request:
    """Return the recorded request, with a key."""
    headers = {**recording.request.headers, "authorization": f"Bearer {KEY}"}
    query = list(recording.request.query)
    url = httpx.URL(BASE_URL + recording.request.path, params=query) if query else BASE_URL + recording.request.path
    return httpx.Request(recording.request.method, url, headers=headers, content=recording.request.content or None)


def _query(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in pairs:
        if name.startswith("filter["):
            options.setdefault("filter", {})[name[len("filter[") : -1]] = value
        elif name.startswith("page["):
            options[f"page_{name[len('page[') : -1]}"] = int(value)
        else:
            options[name] = value
    return options

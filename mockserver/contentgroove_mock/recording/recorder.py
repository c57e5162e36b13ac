"""Walk the journey with a service, and record its responses."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import httpx
import msgspec
from contentgroove._core.secret import Secret
from msgspec import UNSET

from contentgroove_mock import sample_video
from contentgroove_mock.contract.values import decode_json
from contentgroove_mock.recording.journey import UNKNOWN_ID, JourneyStep, RequestSpec, SendFile, WaitUntilProcessed
from contentgroove_mock.recording.recordings import RecordedResponse, Recording, RecordingError, Request, make_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from contentgroove_mock.recording.contract import PackagedContract
    from contentgroove_mock.recording.journey import Action
    from contentgroove_mock.recording.recordings import Origin
    from contentgroove_mock.recording.scrubbing import Scrubber

_RECORDED_HEADERS = ("content-type", "retry-after")
_INVALID_KEY = Secret("no-key-that-any-account-has")
_NO_JSON = object()
_STORE_SECONDS = 60.0
_GONE = frozenset({200, 204, 404})
# In this order: deleting a media may delete its clips too.
_DELETIONS = {
    "createClip": "deleteClipById",
    "createWebhookSubscription": "deleteWebhookSubscriptionById",
    "createMedia": "deleteMediaById",
}


class RecordingTarget(Protocol):
    """A service to record with.

    Attributes:
        origin: The origin of its recordings.
        client: Calls the service; relative URLs are below its base URL. It does not add a key.
        direct_client: Calls the service without a proxy in between, for requests that a proxy would reject; the same
            as `client` if there is no proxy.
        key: The key that the service accepts.
    """

    origin: Origin
    client: httpx.Client
    direct_client: httpx.Client
    key: Secret

    def provoke_status(self, status: int) -> AbstractContextManager[object] | None:
        """Return a context in which the service responds with a failure that no request causes by itself.

        None if that is impossible or not allowed.
        """
        ...

    def finish(self, step: WaitUntilProcessed, is_finished: Callable[[], bool]) -> None:
        """Wait until a resource is processed; `is_finished` polls it."""
        ...


@dataclass
class Result:
    """The result of a walk.

    Attributes:
        recordings: The exchanges.
        skipped: The names of what was not recorded, by the reason.
        not_deleted: What was created and could not be deleted, a sentence each.
    """

    recordings: list[Recording] = field(default_factory=list[Recording])
    skipped: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    not_deleted: list[str] = field(default_factory=list[str])

    def skip(self, name: str, reason: str) -> None:
        """Note that something was not recorded."""
        self.skipped.setdefault(reason, []).append(name)


class Recorder:
    """Walks the journey once; everything that it creates is deleted at the end, even after an error."""

    def __init__(self, target: RecordingTarget, contract: PackagedContract, scrubber: Scrubber) -> None:
        self._target, self._contract, self._scrubber = target, contract, scrubber
        self._ids: dict[str, str] = {"unknown": UNKNOWN_ID}
        self._upload_url = ""
        self._created: dict[str, list[tuple[str, Secret]]] = {operation: [] for operation in _DELETIONS}
        self._result = Result()

    def walk(self, actions: Iterable[Action], known: dict[str, str] | None = None) -> Result:
        """Perform the actions in order; steps can use the known ids.

        Raises:
            RecordingError: The service cannot be reached, or does not finish processing.
        """
        self._ids |= known or {}
        try:
            try:
                for action in actions:
                    self._perform(action)
            finally:
                self._delete_created()
        except RecordingError as error:
            not_deleted = "".join(f" Not deleted: {sentence}." for sentence in self._result.not_deleted)
            raise RecordingError(f"{error}{not_deleted}") from error
        return self._result

    def _perform(self, action: Action) -> None:
        if isinstance(action, SendFile):
            if self._upload_url:
                _send_sample(self._upload_url, trust_env=self._target.origin == "live")
        elif action.simulated and self._target.origin == "live":
            return
        elif isinstance(action, JourneyStep):
            self._record(action)
        elif action.resource in self._ids:
            self._target.finish(action, lambda: self._is_processed(action))

    def _record(self, step: JourneyStep) -> None:
        name = f"{step.operation}-{step.status}"
        try:
            request = self._request(step.operation, step.request)
        except KeyError as error:
            self._result.skip(name, f"there is no {error.args[0]} to request")
            return
        condition = self._target.provoke_status(step.status)
        if condition is None:
            self._result.skip(name, f"a {step.status} is not provoked")
            return
        key = _INVALID_KEY if step.status == HTTPStatus.UNAUTHORIZED else self._target.key
        with condition:
            response = self._send(request, key, direct=step.request.fault is not None)
        body = _json(response)
        self._note_created(step, response, body, key)
        if response.status_code != step.status or "sl-violations" in response.headers or body is _NO_JSON:
            facts = [response.headers.get("sl-violations"), "without JSON" if body is _NO_JSON else None]
            self._result.skip(name, " ".join(["the response was", str(response.status_code), *filter(None, facts)]))
            return
        headers = {name: response.headers[name] for name in _RECORDED_HEADERS if name in response.headers}
        origin = self._target.origin
        variants = [variant for variant in (step.variant, origin if origin == "live" else None) if variant]
        self._result.recordings.append(
            make_recording(
                self._contract,
                step.operation,
                step.status,
                self._scrubber.scrub(request, RecordedResponse(headers=headers, body=body)),
                variant="-".join(variants) or None,
                origin=origin,
                request_fault=step.request.fault,
            )
        )

    def _request(self, operation: str, spec: RequestSpec) -> Request:
        """Return the request of an operation; raise a KeyError with the name of an id that is missing."""
        found = self._contract.operations[operation]
        identifier = quote(self._ids[spec.resource], safe="") if spec.resource else ""
        attributes = {name: self._filled(value) for name, value in (spec.attributes or {}).items()}
        return Request(
            method=found.method,
            path=found.path.replace("{id}", identifier),
            query=tuple((name, self._filled(value)) for name, value in spec.query),
            headers={} if spec.attributes is None and spec.text is None else {"content-type": "application/json"},
            body=UNSET if spec.attributes is None else {"data": {"attributes": attributes}},
            text=UNSET if spec.text is None else spec.text,
        )

    def _filled(self, value: Any) -> Any:
        return self._ids[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value

    def _send(self, request: Request, key: Secret, *, direct: bool = False) -> httpx.Response:
        client = self._target.direct_client if direct else self._target.client
        try:
            return client.request(
                request.method,
                request.path,
                params=list(request.query),
                content=request.content or None,
                headers={**request.headers, "authorization": f"Bearer {key.reveal()}"},
            )
        except httpx.HTTPError as error:
            doubt = " Something may have been created: check the account." if request.method == "POST" else ""
            raise RecordingError(
                f"{request.method} {request.path} got no response ({type(error).__name__}). Nothing was written. Try "
                f"again later.{doubt}"
            ) from None

    def _note_created(self, step: JourneyStep, response: httpx.Response, body: Any, key: Secret) -> None:
        """Remember what must be deleted, and with which key, even if an error response was expected."""
        creates = step.operation in self._created
        if not response.is_success or not (creates or step.save_as):
            return
        try:
            resource = msgspec.convert(body, _Document).data
        except msgspec.ValidationError:
            self._result.not_deleted.append(
                f"{step.operation} returned {response.status_code} without an id; find it by hand"
            )
            return
        if creates:
            self._created[step.operation].append((resource.id, key))
        if step.save_as == "upload":
            self._ids["upload"] = str(resource.attributes.get("upload_id"))
            self._upload_url = str(resource.attributes.get("upload_url"))
        elif step.save_as is not None:
            self._ids[step.save_as] = resource.id

    def _is_processed(self, action: WaitUntilProcessed) -> bool:
        response = self._send(self._request(action.operation, RequestSpec(resource=action.resource)), self._target.key)
        try:
            attributes = msgspec.convert(_json(response), _Document).data.attributes
        except msgspec.ValidationError:
            return False
        return attributes.get("is_processing") is False or attributes.get("has_fetch_error") is True

    def _delete_created(self) -> None:
        for operation, resources in self._created.items():
            deletion = self._contract.operations.get(_DELETIONS[operation])
            for identifier, key in resources:
                if deletion is None:
                    self._result.not_deleted.append(f"{identifier} of {operation}: the contract cannot delete it")
                    continue
                path = deletion.path.replace("{id}", quote(identifier, safe=""))
                try:
                    status = self._send(Request(method=deletion.method, path=path), key, direct=True).status_code
                    outcome = "" if status in _GONE else f"the response was {status}"
                except RecordingError as error:
                    outcome = str(error)
                if outcome:
                    self._result.not_deleted.append(f"{deletion.method} {path}: {outcome}; delete it by hand")


class _Created(msgspec.Struct):
    id: str
    attributes: dict[str, Any]


class _Document(msgspec.Struct):
    data: _Created


def _send_sample(url: str, *, trust_env: bool) -> None:
    """Send the sample video to a prepared upload, without the key; errors do not contain the URL, a credential."""
    try:
        response = httpx.put(url, content=sample_video().read_bytes(), timeout=_STORE_SECONDS, trust_env=trust_env)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RecordingError(f"Cannot reach the file store: {type(error).__name__}. Try again later.") from None
    if response.status_code != HTTPStatus.OK:
        raise RecordingError(f"The file store rejected the sample video with {response.status_code}. Try again later.")


def _json(response: httpx.Response) -> Any:
    try:
        return decode_json(response.content) if response.content else UNSET
    except ValueError:
        return _NO_JSON

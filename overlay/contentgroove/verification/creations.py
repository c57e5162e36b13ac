"""What a run creates in the account, in the order of an application's first day, and how it is deleted again.

Three medias: one of a short file, one whose URL cannot be fetched, and one that is text instead of a video. Each is
sent as little as possible at first, and what the service demands in addition is noted: the checks judge it later.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from contentgroove._core.secret import Secret

from .exchanges import Exchange, NotTriedError, RunEndedError, entries, is_newest_first, member

if TYPE_CHECKING:
    from collections.abc import Callable

    from .caller import Caller

CLEANUP_CALLS = 100
CLEANUP_SECONDS = 120.0
POLL_SECONDS = 0.25
MAX_POLL_SECONDS = 5.0
UNREACHABLE = "https://contentgroove-doctor.invalid/film.mp4"
"""No host has this name (RFC 2606)."""

CLIP = (0.5, 1.5)
"""Start and end of the clip that is cut, in seconds."""

VARIANTS = ("all", "again", "event", "none")
"""The variants of the callback URL that a run may subscribe."""

_PASSES = 2
"""How often all is deleted that is left, because a failure may be one of the moment."""

_LOOKS = (0.0, 1.0, 3.0)
"""Seconds to wait before each look for what was created without a response."""

_FEW = 25
"""Fewer items than any page is full with (assumed: page-default-size)."""

_DONE = frozenset({200, 202, 204, 404, 410})
_NOT_MEDIA = b"This is neither a video nor an audio file.\n"


class Upload(NamedTuple):
    """A prepared upload and what became of it.

    Attributes:
        prepared: The exchange that prepared it.
        url: Where its file is sent.
        stored: The exchange that sent the file; None before.
    """

    prepared: Exchange
    upload_id: str
    url: Secret
    stored: Exchange | None = None


class Journey:
    """What a run has created.

    Attributes:
        is_sample: Whether the file is the sample, whose facts are known and in which nothing is spoken.
        marker: A text that only this run's medias have in their description, such as the SDK's uploads have.
        verbatim: A description with the marker, and with what services change: blanks, markup, other scripts.
        subscribed_url: The URL of the first subscription: the callback URL with a parameter of this run.
        needs_type: Whether the service demands `data.type`; None before it is known.
        needs_name: Whether it demands a name; None before it is known.
        put_refusal: The store's refusal of a PUT without Content-Type.
        refusals: The service's refusals of the media that was sent with less.
        created: The exchange that created the media.
        media_id: Its id.
        fresh: The list of medias right after that.
        early_clip: The attempt to cut a clip of the unfinished media.
        states: The polls of the media.
        unreachable: The polls of the media whose URL cannot be fetched; the first is its creation.
        not_media: The same for the media that is not a video.
        clip: The exchange that created the clip.
        clip_states: The polls of the clip.
    """

    def __init__(
        self,
        caller: Caller,
        file: bytes,
        *,
        is_sample: bool,
        callback_url: Secret | None,
        wait_seconds: float,
    ) -> None:
        self.is_sample = is_sample
        self.marker = f"[sdk-upload {secrets.token_hex(12)}]"
        self.verbatim = f'  {self.marker} <b>Tom &amp; Ann\'s "film"</b> \u00e9\u65e5\U0001f600\n %41\\n\tend '
        self.subscribed_url: Secret | None = None
        self.callback_url = callback_url
        self.needs_type: bool | None = None
        self.needs_name: bool | None = None
        self.put_refusal: Exchange | None = None
        self.refusals: list[Exchange] = []
        self.upload: Upload | None = None
        self.created: Exchange | None = None
        self.fresh: Exchange | None = None
        self.early_clip: Exchange | None = None
        self.subscription: Exchange | None = None
        self.states: list[Exchange] = []
        self.unreachable: list[Exchange] = []
        self.not_media: list[Exchange] = []
        self.clip: Exchange | None = None
        self.clip_states: list[Exchange] = []
        self._caller = caller
        self._file = file
        self._wait_seconds = wait_seconds
        self._delete: dict[str, None] = {}
        self._deletion: tuple[str, Exchange] | None = None
        self._unknown: dict[str, int] = {}
        self._names = 0
        self._token = f"doctor={secrets.token_hex(8)}"
        self._problem = "Nothing was created."

    def start(self) -> None:
        """Create everything; what fails is the reason of the checks that need it."""
        try:
            self._create()
        except NotTriedError as error:
            self._problem = str(error)

    def body(self, attributes: dict[str, Any], kind: str = "medias") -> dict[str, Any]:
        """Return a request's body, with what the service demands."""
        data: dict[str, Any] = {"attributes": attributes}
        return {"data": {"type": kind, **data} if self.needs_type else data}

    def named(self) -> dict[str, str]:
        """Return a description with the marker, and a name that nothing else has (assumed: media-name-twice)."""
        self._names += 1
        return {"name": f"Doctor's media {self._names}", "description": self.marker}

    def require(self, exchange: Exchange | None) -> Exchange:
        """Return an exchange of the journey; raises a `NotTriedError` if it did not happen."""
        if exchange is None:
            raise NotTriedError(self._problem)
        return exchange

    @property
    def media_id(self) -> str:
        """The id of the media; raises a `NotTriedError` without one."""
        return str(member(self.require(self.created).data, "id"))

    @property
    def spoken(self) -> bool:
        """Whether the file may have speech."""
        return not self.is_sample

    @property
    def finished(self) -> Exchange:
        """The poll that showed the media as finished; raises a `NotTriedError` if it failed."""
        for exchange in self.states:
            if _is_processed(exchange) and exchange.succeeded:
                if member(exchange.data, "attributes", "has_fetch_error") is True:
                    raise NotTriedError("The service could not process the media: has_fetch_error is true.")
                return exchange
        if self.states:
            raise NotTriedError(f"The media was not finished within {self._wait_seconds:g} s.")
        raise NotTriedError(self._problem)

    @property
    def first_state(self) -> Exchange:
        """The first poll of the media; raises a `NotTriedError` without one."""
        return self.require(self.states[0] if self.states else None)

    @property
    def clip_id(self) -> str:
        """The id of the clip; raises a `NotTriedError` without one."""
        return str(member(self.require(self.clip).data, "id"))

    @property
    def finished_clip(self) -> Exchange:
        """The poll that showed the clip as finished."""
        for exchange in self.clip_states:
            if _is_processed(exchange) and exchange.succeeded:
                return exchange
        raise NotTriedError(
            f"The clip was not finished within {self._wait_seconds:g} s." if self.clip else self._problem
        )

    def prepare(self) -> Upload:
        """Prepare an upload."""
        exchange = self._caller.call("GET", "/direct_uploads")
        attributes = member(exchange.data, "attributes")
        upload_id, url = member(attributes, "upload_id"), member(attributes, "upload_url")
        if not (exchange.succeeded and isinstance(upload_id, str) and isinstance(url, str)):
            raise NotTriedError(f"No upload was prepared: GET /direct_uploads returned {exchange.status}.")
        return Upload(exchange, upload_id, Secret(url))

    def put(self, url: Secret, content: bytes) -> Exchange:
        """PUT a file, with a Content-Type only if the store demands one."""
        headers = {"Content-Type": "application/octet-stream"} if self.put_refusal else None
        return self._caller.put_file(url, content, headers)

    def send(self, content: bytes) -> Upload:
        """Prepare an upload and send a file, with a Content-Type only if the store demands one."""
        upload = self.prepare()
        stored = self.put(upload.url, content)
        if not stored.succeeded and self.put_refusal is None:
            upload = self.prepare()
            again = self._caller.put_file(upload.url, content, {"Content-Type": "application/octet-stream"})
            if again.succeeded:
                self.put_refusal, stored = stored, again
        if not stored.succeeded:
            raise NotTriedError(f"The store did not take a file: it returned {stored.status}.")
        return upload._replace(stored=stored)

    def create(self, path: str, attributes: dict[str, Any]) -> Exchange:
        """POST something that may be created, and note it for the cleanup."""
        self._unknown[path] = self._unknown.get(path, 0) + 1
        exchange = self._caller.call("POST", path, body=self.body(attributes, path.removeprefix("/")))
        self._unknown[path] -= 1
        return self.note(exchange)

    def subscribe(self, variant: str, **attributes: Any) -> Exchange:
        """Subscribe a variant of the callback URL.

        Its query names the run, so that a subscription of the same URL that was there before is not deleted.
        """
        return self.create("/webhook_subscriptions", {"url": self.variant(variant).reveal(), **attributes})

    def variant(self, variant: str) -> Secret:
        """Return a variant of the callback URL; raises a `NotTriedError` without one."""
        if self.callback_url is None:
            raise NotTriedError("There is no callback URL.")
        url = self.callback_url.reveal()
        return Secret(f"{url}{'&' if '?' in url else '?'}{self._token}-{variant}")

    def note(self, exchange: Exchange) -> Exchange:
        """Note what a POST has created, for the cleanup."""
        identifier = member(exchange.data, "id")
        if exchange.succeeded and isinstance(identifier, (str, int)):
            self._delete[f"{exchange.url.partition('?')[0]}/{identifier}"] = None
        return exchange

    def forget(self, path: str) -> None:
        """Do not delete what a check has deleted."""
        self._delete.pop(path, None)

    def delete_first(self) -> tuple[str, Exchange]:
        """Delete the media that is not a video, once in a run, and return its path and the exchange."""
        if self._deletion is None:
            if not (self.not_media and self.not_media[0].succeeded):
                raise NotTriedError("There is no media to delete.")
            path = f"/medias/{member(self.not_media[0].data, 'id')}"
            # Sent again, it would find nothing if the first had been performed.
            exchange = self._caller.call("DELETE", path, repeats=0)
            if httpx.codes.is_server_error(exchange.status):
                raise NotTriedError(f"The service failed: DELETE of a media returned {exchange.status}.")
            self._deletion = path, exchange
        return self._deletion

    def poll(self, path: str, exchanges: list[Exchange], until: Callable[[Exchange], object]) -> None:
        """GET something until it is as wanted, or the time for waiting is over."""
        end, pause = time.monotonic() + self._wait_seconds, POLL_SECONDS
        # The clock of a test stands still, so polls are bounded, too.
        for _ in range(int(self._wait_seconds / POLL_SECONDS) + 1):
            found = self._attempt(lambda: self._caller.call("GET", path))
            if found is not None:
                exchanges.append(found)
            if (found is not None and until(found)) or time.monotonic() > end:
                return
            self._caller.sleep(pause)
            pause = min(pause * 1.3, MAX_POLL_SECONDS)

    def delete_all(self) -> list[str]:
        """Delete what was created, also what got no response, and return what else may be left.

        Much of it may still be processed (assumed: delete-while-processing).
        What could not be deleted is `remaining`.
        """
        self._caller.extend(calls=CLEANUP_CALLS, seconds=CLEANUP_SECONDS)
        left: list[str] = []
        for path, name, sign in (
            ("/medias", "description", self.marker),
            ("/webhook_subscriptions", "url", f"{self._token}-"),
        ):
            if not self._find_lost(path, name, sign):
                left.append(f"{path} (perhaps one whose {name} contains {sign})")
        for _ in range(_PASSES):
            # Clips come before their medias, which perhaps do not delete them (assumed: media-deletes-clips).
            for path in reversed(list(self._delete)):
                try:
                    if self._caller.call("DELETE", path).status in _DONE:
                        del self._delete[path]
                except NotTriedError:
                    continue
        return left

    @property
    def remaining(self) -> list[str]:
        """What was created and not deleted yet, by path."""
        return list(self._delete)

    def _find_lost(self, path: str, name: str, sign: str) -> bool:
        """Note what was created without a response that says so; returns False if something of that may stay."""
        lost, items = self._unknown.get(path, 0), None
        # The service may still be at work on a request whose sender has gone (assumed: list-late).
        for pause in _LOOKS if lost else ():
            self._caller.sleep(pause)
            try:
                listed = self._caller.call("GET", path, [("sort", "-created_at"), ("page[size]", "100")])
            except NotTriedError:
                continue
            items = entries(listed.data)
            found = [item for item in items if sign in str(member(item, "attributes", name))]
            new = {f"{path}/{member(item, 'id')}" for item in found} - self._delete.keys()
            self._delete.update(dict.fromkeys(new))
            lost -= len(new)
            if lost <= 0:
                break
        # A page that is not full is the whole list; a full one has the newest only if the order was observed.
        return lost <= 0 or (items is not None and (len(items) < _FEW or is_newest_first(items)))

    def _create(self) -> None:
        if self.callback_url is not None:
            self.subscribed_url = self.variant("all")
            self.subscription = self._attempt(self._subscribe)
        self.upload = self.send(self._file)
        self.created = self._create_media(self.upload)
        path = f"/medias/{self.media_id}"
        self.early_clip = self._attempt(lambda: self._cut("Too early"))
        if first := self._attempt(lambda: self._caller.call("GET", path)):
            self.states.append(first)
        self.fresh = self._attempt(lambda: self._caller.call("GET", "/medias", [("sort", "-created_at")]))
        self._create_failing()
        self.poll(path, self.states, _is_processed)
        for exchanges in (self.unreachable, self.not_media):
            if exchanges and exchanges[0].succeeded:
                self.poll(f"/medias/{member(exchanges[0].data, 'id')}", exchanges, _is_processed)
        _ = self.finished
        self.clip = self._cut("Doctor's clip")
        if not self.clip.succeeded:
            status, self.clip = self.clip.status, None
            raise NotTriedError(f"No clip could be created: POST /clips returned {status}.")
        self.poll(f"/clips/{self.clip_id}", self.clip_states, _is_processed)

    def _attempt(self, create: Callable[[], Exchange]) -> Exchange | None:
        """Create something without which the rest can be created; None if that fails, which its checks report."""
        try:
            return create()
        except RunEndedError:
            raise
        except NotTriedError as error:
            self._problem = str(error)
            return None

    def _subscribe(self) -> Exchange:
        exchange = self.subscribe("all")
        if exchange.succeeded:
            return exchange
        self.needs_type = True
        return self.subscribe("all")

    def _create_media(self, upload: Upload) -> Exchange:
        attributes = {"upload_id": upload.upload_id, "description": self.marker}
        # What a refusal lacks is not said, so one thing after the other is added.
        for self.needs_type, self.needs_name in ((False, False), (True, False), (False, True), (True, True)):
            name = {"name": "Doctor's media"} if self.needs_name else {}
            exchange = self.create("/medias", attributes | name)
            if exchange.succeeded:
                return exchange
            self.refusals.append(exchange)
        self.needs_type = self.needs_name = None
        raise NotTriedError(f"No media could be created: POST /medias returned {self.refusals[-1].status}.")

    def _create_failing(self) -> None:
        other = {"description": self.verbatim, "source_url": UNREACHABLE}
        if exchange := self._attempt(lambda: self.create("/medias", self.named() | other)):
            self.unreachable.append(exchange)
        if exchange := self._attempt(
            lambda: self.create("/medias", self.named() | {"upload_id": self.send(_NOT_MEDIA).upload_id})
        ):
            self.not_media.append(exchange)

    def _cut(self, name: str) -> Exchange:
        start, end = CLIP
        return self.create("/clips", {"media_id": self.media_id, "name": name, "start_time": start, "end_time": end})


def has_facts(exchange: Exchange) -> bool:
    """Return whether a media or a clip shows what only its processed file can tell, or that it failed."""
    attributes = member(exchange.data, "attributes")
    return member(attributes, "has_fetch_error") is True or any(
        member(attributes, name) is not None
        for name in ("source_file_duration", "media_file_duration", "media_file_url")
    )


def _is_processed(exchange: Exchange) -> bool:
    """Return whether polls can end: it is finished, not only said to be so from the beginning."""
    is_false = member(exchange.data, "attributes", "is_processing") is False
    return not exchange.succeeded or (is_false and has_facts(exchange))

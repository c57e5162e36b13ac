"""Tools that need several calls of the API: upload, wait, cut, and read the transcript."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from contentgroove._io.own_threads import WAITS

from .registry import ProgressCallback, Tool, object_schema
from .results import Success
from .upload_root import open_below

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from contentgroove import AsyncContentGroove, Clip, Media
    from contentgroove._openapi.documents import Json

WAIT = 50.0
"""Seconds that a wait takes by default: hosts give up on a call after 60."""

MAX_WAIT_SECONDS = 3600.0

MAX_CLIPS = 1000

MAX_EVENTS = 1000
"""Events that are searched for a transcription, the newest first."""

_ID = {"type": "string", "minLength": 1}
_NAME = {"type": "string"}
_SECONDS = {"type": "number", "minimum": 0}


class MediaTools:
    """Tools on medias and clips.

    Args:
        client: Returns the client, which is created when it is first needed.
        upload_root: The folder that files may be uploaded from; None if there are no uploads.
        inbox: The SQLite file of a webhook inbox that is searched for transcriptions; None if there is none.
    """

    def __init__(self, client: Callable[[], AsyncContentGroove], upload_root: Path | None, inbox: Path | None) -> None:
        self._client = client
        self._upload_root = upload_root
        self._inbox = inbox

    def tools(self) -> list[Tool]:
        """Return the tools."""
        return [
            Tool(
                name="upload_media",
                title="Upload a video or audio file",
                description=(
                    "Upload a file of this machine and create a media from it. The file must be below the upload root. "
                    "With wait, the result is returned when the media is processed, which can take many minutes; "
                    "without it, call wait_for_media next."
                ),
                input_schema=object_schema(
                    {
                        "path": {**_ID, "description": "Relative to the upload root, or absolute."},
                        "name": {**_NAME, "description": "The media's name."},
                        "description": _NAME,
                        "wait": {"type": "boolean", "description": "Whether to wait until the media is processed."},
                    },
                    "path",
                ),
                run=self._upload,
            ),
            Tool(
                name="wait_for_media",
                title="Wait until a media is processed",
                description=(
                    "Return the media when its processing has finished. If that takes longer than the timeout, the "
                    "error's code is wait_timeout and nothing is lost: call the tool again."
                ),
                input_schema=object_schema(
                    {
                        "id": {**_ID, "description": "The media's id."},
                        "timeout": {
                            "type": "number",
                            "exclusiveMinimum": 0,
                            "maximum": MAX_WAIT_SECONDS,
                            "default": WAIT,
                            "description": "Seconds to wait.",
                        },
                    },
                    "id",
                ),
                run=self._wait,
                is_read_only=True,
                is_idempotent=True,
            ),
            Tool(
                name="create_clip",
                title="Cut a clip out of a media",
                description="Create a clip of a part of a processed media. Times are seconds from the media's start.",
                input_schema=object_schema(
                    {"media_id": _ID, "name": _NAME, "start_time": _SECONDS, "end_time": _SECONDS}
                ),
                run=self._create_clip,
            ),
            Tool(
                name="list_media_clips",
                title="List the clips of a media",
                description="Return the clips of a media in the order of their start: times in seconds, text, URLs.",
                input_schema=object_schema({"media_id": _ID}),
                run=self._list_clips,
                is_read_only=True,
                is_idempotent=True,
            ),
            Tool(
                name="get_transcript",
                title="Read what is said in a media",
                description=(
                    "Return the transcription of a media if a webhook delivered it. Otherwise return the texts of its "
                    "clips in order, marked partial: speech between clips is missing, and clips can overlap."
                ),
                input_schema=object_schema({"media_id": _ID}),
                run=self._transcript,
                is_read_only=True,
                is_idempotent=True,
            ),
        ]

    async def _upload(self, arguments: Json, report: ProgressCallback) -> Success:
        medias = self._client().medias
        name, description = arguments.get("name"), arguments.get("description")
        with await anyio.to_thread.run_sync(open_below, self._upload_root, arguments["path"]) as file:

            async def upload(progress: _Progress) -> Media:
                media = await medias.upload(file, name=name, description=description, progress=progress.sent)
                return await medias.wait(media, on_update=progress.updated) if arguments.get("wait") else media

            return Success(_document(await _report_updates(report, upload)))

    async def _wait(self, arguments: Json, report: ProgressCallback) -> Success:
        medias, timeout = self._client().medias, float(arguments.get("timeout", WAIT))

        async def wait(progress: _Progress) -> Media:
            return await medias.wait(arguments["id"], timeout=timeout, on_update=progress.updated)

        return Success(_document(await _report_updates(report, wait)))

    async def _create_clip(self, arguments: Json, _report: ProgressCallback) -> Success:
        return Success(_document(await self._client().clips.create(**arguments)))

    async def _list_clips(self, arguments: Json, _report: ProgressCallback) -> Success:
        return Success([_document(clip) for clip in await self._clips(arguments["media_id"])])

    async def _transcript(self, arguments: Json, _report: ProgressCallback) -> Success:
        media_id = arguments["media_id"]
        text = None
        if self._inbox is not None:
            text = await WAITS.run(partial(_stored_transcription, self._inbox, media_id))
        if text is not None:
            return Success({"media_id": media_id, "text": text, "partial": False, "from": "webhook"})
        clips = await self._clips(media_id)
        spoken = [
            {name: getattr(clip, name, None) for name in ("start_time", "end_time", "text")}
            for clip in clips
            if getattr(clip, "text", None)
        ]
        joined = "\n".join(str(part["text"]) for part in spoken)
        return Success({"media_id": media_id, "text": joined, "partial": True, "from": "clips", "clips": spoken})

    async def _clips(self, media_id: str) -> list[Clip]:
        client = self._client()
        # The list of clips is also empty if the media does not exist.
        media = await client.medias.get(media_id)
        listed = client.clips.list(filter={"media_id_eq": media.id}, limit=MAX_CLIPS)
        return sorted([clip async for clip in listed], key=_times)


def _document(resource: Media | Clip) -> Json:
    """Return the attributes; `missing` names those that cannot be read, if there are any."""
    content = {name: value for name, value in resource.to_dict().items() if name not in {"extra", "absent", "missing"}}
    missing = sorted(resource.missing)
    return {**content, "missing": missing} if missing else content


def _times(clip: Clip) -> tuple[float, float]:
    # Clips whose times cannot be read are the last.
    return getattr(clip, "start_time", math.inf), getattr(clip, "end_time", math.inf)


class _Progress:
    """Keeps the newest progress until it is reported, so that callbacks need not wait."""

    def __init__(self) -> None:
        self._latest: tuple[float, float | None, str] | None = None
        self._changed = anyio.Event()
        self._is_finished = False
        self._percent = -1
        self._done = 0.0

    def sent(self, sent: int, total: int) -> None:
        percent = sent * 100 // total
        if percent > self._percent:
            self._percent, self._done = percent, float(sent)
            self._publish((sent, total, f"{percent} % sent"))

    def updated(self, media: Media) -> None:
        # Progress must increase with each report.
        self._done += 1
        # It is unreadable in a response that differs from the contract.
        processing = getattr(media, "is_processing", None)
        state = "finished" if media.is_finished else "is being processed" if processing else "waits"
        self._publish((self._done, None, f"media {media.id} {state}"))

    def finish(self) -> None:
        self._is_finished = True
        self._changed.set()

    async def forward_reports(self, report: ProgressCallback) -> None:
        while self._latest is not None or not self._is_finished:
            await self._changed.wait()
            self._changed = anyio.Event()
            latest, self._latest = self._latest, None
            if latest is not None:
                await report(*latest)

    def _publish(self, latest: tuple[float, float | None, str]) -> None:
        self._latest = latest
        self._changed.set()


async def _report_updates(report: ProgressCallback, work: Callable[[_Progress], Awaitable[Media]]) -> Media:
    """Run work and report its progress while it runs."""
    progress = _Progress()
    outcome: Media | Exception = RuntimeError("the work did not end")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(progress.forward_reports, report)
        try:
            outcome = await work(progress)
        except Exception as error:  # noqa: BLE001 - raised below, because a task group would wrap it
            outcome = error
        progress.finish()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _stored_transcription(inbox: Path, media_id: str) -> str | None:
    from contentgroove.errors import WebhookPayloadError
    from contentgroove.webhooks import MediaProcessingFinished, SQLiteInbox, parse_event

    if not inbox.is_file():
        # The receiver has not created it yet.
        return None
    with SQLiteInbox(inbox) as opened:
        events = opened.events(limit=MAX_EVENTS)
    for stored in events:
        try:
            event = parse_event(stored.body)
        except WebhookPayloadError:
            continue
        if isinstance(event, MediaProcessingFinished) and event.media.id == media_id and event.transcription:
            text: str | None = getattr(event.transcription, "text", None)
            if text is not None:
                return text
    return None

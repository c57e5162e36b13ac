"""The operations of clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove_api.api.clips import (
    create_clip as create_clip_endpoint,
)
from contentgroove_api.api.clips import (
    delete_clip_by_id,
    get_clip_by_id,
    get_clips,
    update_clip_by_id,
)
from contentgroove_api.models.create_clip_request import CreateClipRequest
from contentgroove_api.models.create_clip_request_attributes import CreateClipRequestAttributes
from contentgroove_api.models.create_clip_request_data import CreateClipRequestData
from contentgroove_api.models.get_clips_sort import GetClipsSort
from contentgroove_api.models.update_clip_request import UpdateClipRequest
from contentgroove_api.models.update_clip_request_attributes import UpdateClipRequestAttributes
from contentgroove_api.models.update_clip_request_data import UpdateClipRequestData
from contentgroove_api.types import UNSET

from contentgroove.errors import InvalidInputError

from . import decoding
from .calls import Operation, decode_nothing
from .inputs import check_id, check_seconds, check_text
from .listing import list_operation

if TYPE_CHECKING:
    from contentgroove.models import Clip

    from .listing import ListArguments, ListOperation


def list_clips(query: ListArguments) -> ListOperation[Clip]:
    """List clips."""
    return list_operation(get_clips.build_request, GetClipsSort, decoding.decode_clip_page, query)


def get_clip(clip_id: str) -> Operation[Clip]:
    """Fetch one clip."""
    return Operation(get_clip_by_id.build_request(check_id(clip_id, "clip")), decoding.decode_clip)


def create_clip(*, media_id: str, name: str, start_time: float, end_time: float) -> Operation[Clip]:
    """Cut a clip out of a media."""
    attributes = CreateClipRequestAttributes(
        media_id=check_id(media_id, "media"),
        name=check_text(name, "name"),
        start_time=check_seconds(start_time, "start_time"),
        end_time=check_seconds(end_time, "end_time"),
    )
    _check_times(attributes.start_time, attributes.end_time)
    body = CreateClipRequest(data=CreateClipRequestData(attributes=attributes))
    return Operation(create_clip_endpoint.build_request(body=body), decoding.decode_clip, idempotent=False)


def update_clip(clip_id: str, *, name: str | None, start_time: float | None, end_time: float | None) -> Operation[Clip]:
    """Change a clip's name, times or all of them."""
    checked = check_id(clip_id, "clip")
    if name is None and start_time is None and end_time is None:
        raise InvalidInputError("Nothing to update: pass name=, start_time=, end_time= or several. Nothing was sent.")
    start = None if start_time is None else check_seconds(start_time, "start_time")
    end = None if end_time is None else check_seconds(end_time, "end_time")
    if start is not None and end is not None:
        _check_times(start, end)
    attributes = UpdateClipRequestAttributes(
        name=UNSET if name is None else check_text(name, "name"),
        start_time=UNSET if start is None else start,
        end_time=UNSET if end is None else end,
    )
    body = UpdateClipRequest(data=UpdateClipRequestData(attributes=attributes))
    return Operation(update_clip_by_id.build_request(checked, body=body), decoding.decode_clip)


def delete_clip(clip_id: str) -> Operation[None]:
    """Delete a clip."""
    request = delete_clip_by_id.build_request(check_id(clip_id, "clip"))
    return Operation(request, decode_nothing, accept_404_on_retry=True)


def _check_times(start: float, end: float) -> None:
    if end <= start:
        raise InvalidInputError(f"end_time must be greater than start_time={start:g}, not {end:g}. Nothing was sent.")

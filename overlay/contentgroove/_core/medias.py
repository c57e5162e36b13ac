"""The operations of medias.

Each function imports the generated modules that it needs, because most programs start with a single call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove_api.types import UNSET

from contentgroove.errors import InvalidInputError

from . import decoding
from .calls import Operation, decode_nothing
from .inputs import check_id, check_text, check_url

if TYPE_CHECKING:
    from contentgroove.models import Media

    from .listing import ListArguments, ListOperation


def list_medias(query: ListArguments) -> ListOperation[Media]:
    """List medias."""
    from contentgroove_api.api.medias import get_medias
    from contentgroove_api.models.get_medias_sort import GetMediasSort

    from .listing import list_operation

    return list_operation(get_medias.build_request, GetMediasSort, decoding.decode_media_page, query)


def get_media(media_id: str) -> Operation[Media]:
    """Fetch one media."""
    from contentgroove_api.api.medias import get_media_by_id

    return Operation(get_media_by_id.build_request(check_id(media_id, "media")), decoding.decode_media)


def create_media(
    *, source_url: str | None, upload_id: str | None, name: str | None, description: str | None
) -> Operation[Media]:
    """Create a media from either a URL or an upload."""
    from contentgroove_api.api.medias import create_media
    from contentgroove_api.models.create_media_request import CreateMediaRequest
    from contentgroove_api.models.create_media_request_attributes import CreateMediaRequestAttributes
    from contentgroove_api.models.create_media_request_data import CreateMediaRequestData

    if (source_url is None) == (upload_id is None):
        raise InvalidInputError(
            "Pass exactly one of source_url= and upload_id=, not "
            f"{'neither' if source_url is None else 'both'}. Nothing was sent."
        )
    attributes = CreateMediaRequestAttributes(
        source_url=UNSET if source_url is None else check_url(source_url, "source_url"),
        upload_id=UNSET if upload_id is None else check_text(upload_id, "upload_id"),
        name=UNSET if name is None else check_text(name, "name"),
        description=UNSET if description is None else check_text(description, "description"),
    )
    body = CreateMediaRequest(data=CreateMediaRequestData(attributes=attributes))
    return Operation(create_media.build_request(body=body), decoding.decode_media, idempotent=False)


def update_media(media_id: str, *, name: str | None, description: str | None) -> Operation[Media]:
    """Change a media's name, description or both."""
    from contentgroove_api.api.medias import update_media_by_id
    from contentgroove_api.models.update_media_request import UpdateMediaRequest
    from contentgroove_api.models.update_media_request_attributes import UpdateMediaRequestAttributes
    from contentgroove_api.models.update_media_request_data import UpdateMediaRequestData

    checked = check_id(media_id, "media")
    if name is None and description is None:
        raise InvalidInputError("Nothing to update: pass name=, description= or both. Nothing was sent.")
    attributes = UpdateMediaRequestAttributes(
        name=UNSET if name is None else check_text(name, "name"),
        description=UNSET if description is None else check_text(description, "description"),
    )
    body = UpdateMediaRequest(data=UpdateMediaRequestData(attributes=attributes))
    return Operation(update_media_by_id.build_request(checked, body=body), decoding.decode_media)


def delete_media(media_id: str) -> Operation[None]:
    """Delete a media and its clips."""
    from contentgroove_api.api.medias import delete_media_by_id

    request = delete_media_by_id.build_request(check_id(media_id, "media"))
    return Operation(request, decode_nothing, accept_404_on_retry=True)

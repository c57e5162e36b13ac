"""The contract's models of a webhook once more, such that one pass over the body reads all of it.

The generated model keeps each included resource as raw JSON, because a resource may be of a type that is not known
yet; to read those takes a second pass. Here clips and transcriptions are told apart by their `type` while the body is
read. The structs are made from the generated ones, so that there is nothing to keep in step.
"""

from __future__ import annotations

from typing import Any

import msgspec
from contentgroove_api.models.clip import Clip as WireClip
from contentgroove_api.models.transcription import Transcription as WireTranscription
from contentgroove_api.models.webhook_event import WebhookEvent
from contentgroove_api.models.webhook_payload import WebhookPayload


def _tagged_struct(wire: type[msgspec.Struct], name: str, *, tag: str | None = None, **types: Any) -> Any:
    """Make a struct again.

    Args:
        wire: The generated struct.
        name: What this module calls the new one; pickling finds it by that.
        tag: The one value of `type` that it is for, by which a union tells it from others.
        **types: Fields that get another type.
    """
    field: Any = msgspec.field  # its overloads know either kind of default, not both
    fields: list[Any] = [
        (
            item.name,
            types.get(item.name, item.type),
            field(default=item.default, default_factory=item.default_factory, name=item.encode_name),
        )
        for item in msgspec.structs.fields(wire)
        if tag is None or item.encode_name != "type"
    ]
    return msgspec.defstruct(
        name, fields, tag=tag, tag_field=tag and "type", module=__name__, frozen=True, kw_only=True
    )


TaggedClip = _tagged_struct(WireClip, "TaggedClip", tag="clips")
TaggedTranscription = _tagged_struct(WireTranscription, "TaggedTranscription", tag="transcriptions")

_list: Any = list
TaggedPayload = _tagged_struct(
    WebhookPayload, "TaggedPayload", included=_list[TaggedClip | TaggedTranscription] | None | msgspec.UnsetType
)
TaggedEvent = _tagged_struct(WebhookEvent, "TaggedEvent", payload=TaggedPayload)

"""Variants of the generated structs of a webhook, with which one pass decodes the whole body.

The generated struct keeps each included resource as raw JSON, because its type may be unknown, and needs a second
pass. These tagged structs distinguish clips and transcriptions by their `type` while the body is decoded. They are
built from the generated structs, so they follow every change of those.
"""

from __future__ import annotations

from typing import Any

import msgspec
from contentgroove_api.models.clip import Clip as WireClip
from contentgroove_api.models.transcription import Transcription as WireTranscription
from contentgroove_api.models.webhook_event import WebhookEvent
from contentgroove_api.models.webhook_payload import WebhookPayload


def _tagged_struct(wire: type[msgspec.Struct], name: str, *, tag: str | None = None, **types: Any) -> Any:
    """Build a variant of a generated struct.

    Args:
        wire: The generated struct.
        name: The variable of this module that the variant is assigned to, which pickling needs.
        tag: The value of `type` that selects the variant in a union.
        **types: New types of fields, by field name.
    """
    field: Any = msgspec.field  # its overloads accept one kind of default, not both
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

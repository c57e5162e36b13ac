"""Checks of what every response has: headers, ids, times, numbers, attributes and relationships."""

from __future__ import annotations

import re
from typing import Any, cast

from .checks import (
    RESOURCES,
    UNKNOWN_ID,
    Finding,
    NotTriedError,
    Probe,
    attribute,
    check,
    described,
    ids_of,
    judge,
    number,
)
from .exchanges import entries, member

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_NOT_FOUND = 404
_BLANKS = 2
_MEDIA = [
    "created_at",
    "description",
    "external_id",
    "has_fetch_error",
    "is_processing",
    "name",
    "original_created_at",
    "processing_started_at",
    "source_created_at",
    "source_file_content_type",
    "source_file_duration",
    "source_file_height",
    "source_file_preview_image_url",
    "source_file_width",
    "source_url",
]
_CLIP = [
    "created_at",
    "end_char",
    "end_time",
    "external_id",
    "media_file_content_type",
    "media_file_height",
    "media_file_preview_image_url",
    "media_file_url",
    "media_file_width",
    "name",
    "rank",
    "start_char",
    "start_time",
    "text",
]
_SUBSCRIPTION = ["active", "created_at", "subscribed_events", "updated_at", "url"]
_ATTRIBUTES: dict[str, list[str]] = dict(zip(RESOURCES, (_MEDIA, _CLIP, _SUBSCRIPTION), strict=True))


def _all_items(probe: Probe) -> list[tuple[str, Any]]:
    items = [(resource, item) for resource in RESOURCES for item in probe.items(resource)]
    if not items:
        raise NotTriedError("The account has no medias, clips or webhook subscriptions.")
    return items


@check("content-type-json")
def content_type_json(probe: Probe) -> Finding:
    """Read the header of a list."""
    exchange = probe.read("/medias", ("page[size]", "1"))
    found = exchange.headers.get("content-type", "none")
    return judge(found.partition(";")[0].strip() == "application/json", f"Content-Type: {found}.", exchange)


@check("date-header")
def date_header(probe: Probe) -> Finding:
    """Read the header of a list."""
    exchange = probe.read("/medias", ("page[size]", "1"))
    found = exchange.headers.get("date", "")
    holds = re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", found)
    return judge(holds, f"Date: {found or 'none'}.", exchange)


@check("error-404")
def error_404(probe: Probe) -> Finding:
    """GET a media that does not exist."""
    exchange = probe.get(f"/medias/{UNKNOWN_ID}")
    error = member(exchange.errors, 0)
    holds = exchange.status == _NOT_FOUND and isinstance(member(error, "title"), str)
    return judge(
        holds and member(error, "status") == "404",
        f"{described(exchange)} with {len(exchange.errors)} errors.",
        exchange,
    )


@check("ids-uuid")
def ids_uuid(probe: Probe) -> Finding:
    """Read the ids of all items."""
    found = [str(member(item, "id")) for _, item in _all_items(probe)]
    others = [text for text in found if not _UUID.fullmatch(text)]
    exchange = probe.read("/medias", ("page[size]", "1"))
    return judge(not others, f"{len(found) - len(others)} of {len(found)} ids are UUIDs.", exchange)


@check("resource-types")
def resource_types(probe: Probe) -> Finding:
    """Compare the types of items with the names of their lists."""
    items = _all_items(probe)
    others = {str(member(item, "type")) for resource, item in items if member(item, "type") != resource}
    return judge(not others, f"{len(items)} items, other types: {sorted(others)}.", probe.read(f"/{items[0][0]}"))


@check("times-utc")
def times_utc(probe: Probe) -> Finding:
    """Read the times of all items."""
    items = _all_items(probe)
    _ = [attribute(item, "created_at") for _, item in items]
    found = [text for _, item in items for text in _times_of(item)]
    others = [text for text in found if not _TIME.fullmatch(text)]
    shown = re.sub(r"\d", "0", (others or found)[0][:40])
    return judge(
        not others, f"{len(found) - len(others)} of {len(found)} times are so: {shown}.", probe.read("/medias")
    )


def _times_of(item: Any) -> list[str]:
    attributes = cast("dict[str, Any]", member(item, "attributes") or {})
    return [str(value) for name, value in attributes.items() if name.endswith("_at") and value is not None]


@check("rest-numbers")
def rest_numbers(probe: Probe) -> Finding:
    """Read the types of times and lengths."""
    pairs = {"clips": ("start_time", "end_time"), "medias": ("source_file_duration",)}
    values = [attribute(item, name) for kind, names in pairs.items() for item in probe.items(kind) for name in names]
    values = [value for value in values if value is not None]
    if not values:
        raise NotTriedError("The account has no clips and no finished medias.")
    others = [value for value in values if isinstance(value, bool) or not isinstance(value, (int, float))]
    seen = f"{len(values) - len(others)} of {len(values)} values are JSON numbers."
    return judge(not others, seen, probe.read("/clips"), probe.read("/medias"))


@check("attributes-present")
def attributes_present(probe: Probe) -> Finding:
    """Look for the attributes that the examples have."""
    items = _all_items(probe)
    missing = {
        f"{resource}.{name}"
        for resource, item in items
        for name in _ATTRIBUTES[resource]
        if name not in cast("dict[str, Any]", member(item, "attributes") or {})
    }
    kinds = dict.fromkeys(name.partition(".")[0] for name in sorted(missing)) or {items[0][0]: None}
    exchanges = [probe.read(f"/{kind}") for kind in kinds]
    return judge(not missing, f"{len(items)} items; missing: {', '.join(sorted(missing)) or 'nothing'}.", *exchanges)


@check("clip-duration-name")
def clip_duration_name(probe: Probe) -> Finding:
    """Look for the name that the examples have."""
    probe.some(1, "clips")
    exchange = probe.read("/clips")
    attributes = cast("dict[str, Any]", member(exchange.data, 0, "attributes") or {})
    found = sorted(name for name in attributes if "duration" in name)
    return judge("media_file_duration" in found, f"A clip has {', '.join(found) or 'none'}.", exchange)


@check("relationships-present")
def relationships_present(probe: Probe) -> Finding:
    """Look for what medias and clips say of each other."""
    medias, clips = probe.items("medias"), probe.items("clips")
    holds = all(isinstance(member(item, "relationships", "clips", "data"), list) for item in medias) and all(
        isinstance(member(item, "relationships", "media", "data", "id"), str) for item in clips
    )
    if holds and not (medias and clips):
        raise NotTriedError("The account has no medias or no clips.")
    seen = f"{len(medias)} medias and {len(clips)} clips {'have' if holds else 'do not all have'} them."
    return judge(holds, seen, probe.read("/medias"), probe.read("/clips"))


@check("links-self")
def links_self(probe: Probe) -> Finding:
    """Look for it in a list and in single items."""
    exchanges = [probe.read(f"/{resource}", ("page[size]", "1")) for resource in RESOURCES]
    resource, items = probe.some(1)
    exchanges.append(probe.read(f"/{resource}/{member(items[0], 'id')}"))
    lacking = [item.url for item in exchanges if not isinstance(member(item.json, "links", "self"), str)]
    return judge(not lacking, f"{len(exchanges) - len(lacking)} of {len(exchanges)} documents have it.", *exchanges)


@check("list-omits-transcription")
def list_omits_transcription(probe: Probe) -> Finding:
    """Look at the relationships of listed medias."""
    probe.some(1, "medias")
    exchange = probe.read("/medias")
    listed = entries(exchange.data)
    found = [item for item in listed if "transcription" in (member(item, "relationships") or {})]
    done = [item for item in listed if member(item, "attributes", "is_processing") is False]
    if not found and not [item for item in done if member(item, "attributes", "has_fetch_error") is False]:
        raise NotTriedError("No listed media is finished, so that none may have a transcription yet.")
    return judge(not found, f"{len(found)} of {len(listed)} listed medias have it.", exchange)


@check("media-names-transcription")
def media_names_transcription(probe: Probe) -> Finding:
    """Look at the relationships of a single media."""
    _, items = probe.some(1, "medias")
    exchange = probe.read(f"/medias/{member(items[0], 'id')}")
    holds = "transcription" in (member(exchange.data, "relationships") or {})
    return judge(holds, f"It is {'there' if holds else 'missing'}.", exchange)


@check("rank-from-0")
def rank_from_0(probe: Probe) -> Finding:
    """Read the ranks of the suggested clips of the medias all of whose clips are known."""
    probe.some_with(lambda item: attribute(item, "rank") is not None, "that is a suggested clip", "clips")
    ranks_of = [ranks for media in probe.items("medias") if (ranks := _ranks(probe, media))]
    if not ranks_of:
        raise NotTriedError("There is no media all of whose clips are on the first page of clips.")
    exchange = probe.read("/clips", ("page[size]", "100"))
    shown = f"The ranks of {len(ranks_of)} medias' clips, such as {ranks_of[0][:10]}."
    if any(len(set(ranks)) < len(ranks) or ranks == list(range(1, len(ranks) + 1)) for ranks in ranks_of):
        return judge(False, shown, exchange)  # noqa: FBT003
    if not any(len(ranks) > 1 and ranks == list(range(len(ranks))) for ranks in ranks_of):
        raise NotTriedError(f"{shown} Perhaps some were deleted.")
    return judge(True, shown, exchange)  # noqa: FBT003


def _ranks(probe: Probe, media: Any) -> list[int]:
    """Return the ranks of a media's suggested clips in order; none if the clips are not all known."""
    known = {str(member(item, "id")): attribute(item, "rank") for item in probe.items("clips")}
    named = ids_of(entries(media, "relationships", "clips", "data"))
    if not set(named) <= known.keys():
        return []
    return sorted(int(rank) for name in named if str(rank := known[name]).isdigit())


@check("clip-chars")
def clip_chars(probe: Probe) -> Finding:
    """Compare the lengths of clips' texts with their positions."""
    _, first = probe.some_with(lambda item: attribute(item, "text"), "that is a clip with a text", "clips")
    exchange = probe.read(f"/clips/{member(first, 'id')}")
    spans: list[tuple[float, float, int]] = []
    for item in [exchange.data, *probe.items("clips")]:
        text = attribute(item, "text")
        begin, end = (number(attribute(item, name)) for name in ("start_char", "end_char"))
        if isinstance(text, str) and text and begin is not None and end is not None:
            spans.append((begin, end, len(text)))
    if not spans:
        raise NotTriedError("No clip with a text has positions.")
    most = max(spans, key=lambda span: abs(span[1] - span[0] - span[2]))
    seen = f"{len(spans)} clips, the worst: from {most[0]:g} to {most[1]:g}, a text of {most[2]} characters."
    off = abs(most[1] - most[0] - most[2])
    if 0 < off <= _BLANKS:
        raise NotTriedError(f"{seen} Perhaps blanks at the ends of the text are left out.")
    if not off and not any(span[0] for span in spans):
        raise NotTriedError("All texts start at 0, so that they may be counted from the start of the clip.")
    return judge(not off, seen, exchange)

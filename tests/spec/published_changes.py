"""Documents that the provider might publish next: the committed one with changes."""

from __future__ import annotations

import copy
from typing import Any

CLIP, MEDIA = "clip_response_object_data", "media_response_object_data"


def attributes(document: dict[str, Any], schema: str) -> dict[str, Any]:
    """The attributes of a resource's schema."""
    found: dict[str, Any] = document["components"]["schemas"][schema]["properties"]["attributes"]["properties"]
    return found


def with_a_defect_mended(published: dict[str, Any]) -> dict[str, Any]:
    """The clip's duration gets the name that all examples have, so that its correction changes nothing."""
    document = copy.deepcopy(published)
    clip = attributes(document, CLIP)
    clip["media_file_duration"] = clip.pop("media_file_content_duration")
    return document


def with_a_new_attribute(published: dict[str, Any]) -> dict[str, Any]:
    """Medias have a language."""
    document = copy.deepcopy(published)
    attributes(document, MEDIA)["language"] = {"type": "string", "nullable": True}
    return document


def with_new_timestamps(published: dict[str, Any]) -> dict[str, Any]:
    """The mirror's build wrote another date into an example."""
    document = copy.deepcopy(published)
    content = document["paths"]["/medias"]["get"]["responses"]["200"]["content"]["application/json"]
    content["example"]["data"][0]["attributes"]["created_at"] = "2031-01-02T03:04:05.678Z"
    return document


def with_a_wrong_example(published: dict[str, Any]) -> dict[str, Any]:
    """An example has a rank that is not a number."""
    document = copy.deepcopy(published)
    content = document["paths"]["/clips"]["get"]["responses"]["200"]["content"]["application/json"]
    content["example"]["data"][0]["attributes"]["rank"] = "first"
    return document


def with_names_as_numbers(published: dict[str, Any]) -> dict[str, Any]:
    """The names of medias become numbers, and the document itself requires `data` in a media's response."""
    document = with_a_new_attribute(published)
    attributes(document, MEDIA)["name"] = {"type": "integer"}
    document["components"]["schemas"]["media_response_object"]["required"] = ["data"]
    return document

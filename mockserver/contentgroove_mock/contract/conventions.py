"""What an API does that its document cannot say; ContentGroove's are here, other documents have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contentgroove_mock.contract.rules import ValueRule

Json: TypeAlias = dict[str, Any]


class Span(NamedTuple):
    """Two attributes, of which the second must not be less.

    Attributes:
        begin: The name of the first.
        end: The name of the second.
        strict: Whether they must differ.
    """

    begin: str
    end: str
    strict: bool


class Conventions(Struct, frozen=True):
    """What an API does that its document cannot say.

    Attributes:
        event_member: The member of a webhook's body that names its event; None if the webhook's URL tells it.
        fault_header: The header of responses, in lower case, whose statuses need not be documented; None if there are
            none. A simulator marks those that a fault caused.
        one_credential: Whether a request with several credentials is wrong.
        json_api: Whether bodies are documents of JSON:API 1.0, with `data`, `links`, `errors` and relationships.
        relationship_types: The type of the resources that each relationship names.
        id_attributes: The attributes that are ids.
        web_addresses: The attributes that are URLs of files or webhooks.
        numbers: The attributes that are not negative.
        spans: The attributes that have an order.
        events_attribute: The attribute that lists events by the names of the document's webhooks, or `*`.
        error_statuses: By the status of a response, the other status that the errors in it may have.
        filter_parameter: The parameter whose keys are attributes with ransack's matchers.
        page_parameter: The parameter whose keys are the number and the size of a page.
        creating: The operations besides POST that create something.
    """

    event_member: str | None = None
    fault_header: str | None = None
    one_credential: bool = False
    json_api: bool = False
    relationship_types: Mapping[str, str] = {}
    id_attributes: tuple[str, ...] = ()
    web_addresses: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    events_attribute: str | None = None
    error_statuses: Mapping[int, str] = {}
    filter_parameter: str | None = None
    page_parameter: str | None = None
    creating: frozenset[str] = frozenset()


CONVENTIONS = Conventions(
    event_member="event",
    fault_header="x-contentgroove-fault",
    one_credential=True,
    json_api=True,
    relationship_types={
        "clips": "clips",
        "media": "medias",
        "transcription": "transcriptions",
        "user": "users",
        "webhook_events": "webhook_events",
    },
    id_attributes=("upload_id", "media_id"),
    web_addresses=("source_url", "url", "upload_url", "media_file_url", "media_file_preview_image_url",
                   "source_file_preview_image_url"),
    numbers=("source_file_duration", "source_file_height", "source_file_width", "media_file_duration",
             "media_file_height", "media_file_width", "rank", "start_char", "end_char", "start_time", "end_time"),
    spans=(
        Span("start_time", "end_time", strict=True),
        # A clip without a text has the same position twice.
        Span("start_char", "end_char", strict=False),
        Span("created_at", "updated_at", strict=False),
    ),
    events_attribute="subscribed_events",
    # The document's own example of a 402.
    error_statuses={402: "422"},
    filter_parameter="filter",
    page_parameter="page",
    creating=frozenset({"getUploadUrl"}),
)  # fmt: skip
"""Those of ContentGroove, and of its simulator."""

_NOT_BLANK: Json = {"pattern": r"\S"}
_WEB_ADDRESS: Json = {"pattern": r"^[hH][tT][tT][pP][sS]?://[^/?#]"}
_NOT_NEGATIVE: Json = {"minimum": 0, "pattern": "^[^-]"}
_ALL_EVENTS = "*"


def value_schemas(conventions: Conventions, events: Iterable[str]) -> dict[ValueRule, Json]:
    """Return the rules that a JSON Schema of a whole body can express; keywords ignore values of other types."""
    found: dict[ValueRule, Json] = {}
    if not conventions.json_api:
        return found
    linkage = _members(data=_one_or_several(_members(id=_NOT_BLANK)))
    found["empty-id"] = _of_each_resource(
        {
            "id": _NOT_BLANK,
            "relationships": _members(**dict.fromkeys(conventions.relationship_types, linkage)),
            "attributes": _members(**dict.fromkeys(conventions.id_attributes, _NOT_BLANK)),
            # A webhook names relationships beside `relationships`, too.
            **dict.fromkeys(conventions.relationship_types, linkage),
        }
    )
    typed = {
        name: _members(data=_one_or_several(_members(type={"const": kind})))
        for name, kind in conventions.relationship_types.items()
    }
    found["relationship-type"] = _of_each_resource({"relationships": _members(**typed), **typed})
    web_addresses = dict.fromkeys(conventions.web_addresses, _WEB_ADDRESS)
    found["web-address"] = _of_each_resource({"attributes": _members(**web_addresses)})
    numbers = dict.fromkeys(conventions.numbers, _NOT_NEGATIVE)
    found["negative-number"] = _of_each_resource({"attributes": _members(**numbers)})
    if conventions.events_attribute is not None:
        listed = {"minItems": 1, "uniqueItems": True, "items": {"enum": [*events, _ALL_EVENTS]}}
        found["subscribed-event"] = _of_each_resource(
            {"attributes": _members(**{conventions.events_attribute: listed})}
        )
    return found


def _of_each_resource(properties: Json) -> Json:
    """Return a schema of a document, or of a webhook with one, each of whose resources has these properties."""
    resource = {"properties": properties}
    document = _members(data=_one_or_several(resource), included={"items": resource})
    return {**document, "properties": {**document["properties"], "payload": document}}


def _one_or_several(schema: Json) -> Json:
    # `properties` ignores lists, and `items` ignores objects.
    return {**schema, "items": schema}


def _members(**properties: Json) -> Json:
    return {"properties": properties}

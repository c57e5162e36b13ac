"""Published documents with a resource that the SDK lacks, in the style of the published one: nothing is required."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

ID = "0b6a9c1e-7f5d-4c0e-9a52-3f1f0c9d4e21"
TIME = "2025-10-15T13:51:02.559Z"
_ERRORS: dict[str, tuple[str, Json]] = {
    "401": ("not authorized", {"message": "You need to sign in or sign up before continuing."}),
    "402": (
        "payment required",
        {
            "code": "exceeded_quota_count",
            "detail": "You have exceeded the monthly quota for number of projects.",
            "source": {"pointer": ""},
            "status": "422",
            "title": "Unprocessable Entity",
        },
    ),
    "404": ("not found", {"detail": None, "source": None, "status": "404", "title": "Not Found"}),
    "429": (
        "too many requests",
        {
            "detail": "You have exceeded the maximum number of requests in the current window. Please try again later.",
            "status": "429",
            "title": "Too Many Requests",
        },
    ),
}


@dataclass(frozen=True)
class Added:
    """A resource to add.

    Attributes:
        path: The path of its list.
        type: Its JSON:API type.
        singular: Its name in operationIds and components, in snake case.
        attributes: The schema and an example of each attribute of a response.
        relationships: The types of related resources, by name; a list stands for several.
        created: The schemas of the attributes of POST, none without POST.
        needed: Those that POST requires.
        updated: The schemas of the attributes of PUT, none without PUT.
        methods: What it has of list, get, create, update and delete.
        paged: Whether its list has filters, an order and pages.
        counted: Whether an account can create only so many.
    """

    path: str
    type: str
    singular: str
    attributes: dict[str, tuple[Json, Any]]
    relationships: dict[str, str | list[str]] = field(default_factory=dict[str, "str | list[str]"])
    created: dict[str, Json] = field(default_factory=dict[str, Json])
    needed: tuple[str, ...] = ()
    updated: dict[str, Json] = field(default_factory=dict[str, Json])
    methods: frozenset[str] = frozenset({"list", "get", "create", "update", "delete"})
    paged: bool = True
    counted: bool = False


TEXT: Json = {"type": "string"}
MAYBE_TEXT: Json = {"type": "string", "nullable": True}

PROJECTS = Added(
    path="/projects",
    type="projects",
    singular="project",
    attributes={
        "created_at": (TEXT, TIME),
        "updated_at": (TEXT, TIME),
        "name": (TEXT, "Apollo"),
        "description": (MAYBE_TEXT, None),
        "color": (TEXT, "#ff8800"),
        "archived": ({"type": "boolean"}, False),
        "media_count": ({"type": "integer"}, 1),
        "total_duration": ({"type": "number", "nullable": True}, 98.5),
        "labels": ({"type": "array", "items": TEXT}, ["space", "chimp"]),
        "cover_image_url": (MAYBE_TEXT, "https://www.example.com/cover.jpg"),
    },
    relationships={"medias": ["medias"], "user": "users"},
    created={
        "name": TEXT,
        "description": TEXT,
        "color": TEXT,
        "labels": {"type": "array", "items": TEXT},
    },
    needed=("name",),
    updated={"name": TEXT, "description": TEXT, "color": TEXT, "archived": {"type": "boolean"}},
)
TRANSCRIPTIONS = Added(
    path="/transcriptions",
    type="transcriptions",
    singular="transcription",
    attributes={
        "created_at": (TEXT, TIME),
        "text": (TEXT, "And the chimp is on its way."),
        "language": (MAYBE_TEXT, "en"),
        "words_count": ({"type": "integer", "nullable": True}, 7),
    },
    relationships={"media": "medias"},
    methods=frozenset({"list", "get"}),
)
BRAND_KITS = Added(
    path="/brand-kits",
    type="brand_kits",
    singular="brand_kit",
    attributes={
        "created_at": (TEXT, TIME),
        "title": (TEXT, "House style"),
        "font": ({"type": "string", "enum": ["sans", "serif"]}, "sans"),
        "opacity": ({"type": "number"}, 0.5),
        "settings": ({"type": "object", "additionalProperties": True}, {"corner": "left"}),
    },
    created={"title": TEXT, "font": {"type": "string", "enum": ["sans", "serif"]}, "opacity": {"type": "number"}},
    needed=("title", "font"),
    counted=True,
    methods=frozenset({"list", "create"}),
    paged=False,
)


def with_resource(published: Json, added: Added) -> Json:
    """Copy a published document and add a resource to it."""
    document = copy.deepcopy(published)
    one, many = f"{added.singular}_response_object", f"{added.singular}s_response_object"
    document["components"]["schemas"] |= {
        one: _object(data=_ref(f"{one}_data"), links=_ref("links_object_data")),
        many: _object(data={"type": "array", "items": _ref(f"{one}_data")}, links=_ref("links_object_data")),
        f"{one}_data": _data_schema(added),
    }
    camel = "".join(part.capitalize() for part in added.singular.split("_"))
    words = added.singular.replace("_", " ")
    data = {
        "id": ID,
        "type": added.type,
        "attributes": {name: example for name, (_, example) in added.attributes.items()},
    } | ({"relationships": _relationships(added)} if added.relationships else {})
    url = f"http://api.contentgroove.com/api/v1{added.path}"
    single = {"data": data, "links": {"self": f"{url}/{ID}"}}
    listed = {"data": [data], "links": {"self": url, "current": f"{url}?page[number]=1"}}
    created = {"data": data, "links": {"self": url}}
    collection: Json = {
        "get": _operation(f"get{camel}s", f"list {words}s", many, listed, parameters=_query(added)),
        "post": _operation(f"create{camel}", f"create {words}", one, created, *(("402",) if added.counted else ()))
        | {"parameters": [], "requestBody": _body(added.created, added.needed)},
    }
    item: Json = {
        "parameters": [{"name": "id", "in": "path", "description": "id", "required": True, "schema": TEXT}],
        "get": _operation(f"get{camel}ById", f"show {words}", one, single, "404"),
        "put": _operation(f"update{camel}ById", f"update {words}", one, single)
        | {"parameters": [], "requestBody": _body(added.updated, ())},
        "delete": _operation(f"delete{camel}ById", f"delete {words}", None, None, "404"),
    }
    kept = {"list": (collection, "get"), "create": (collection, "post")} | {
        name: (item, method) for name, method in (("get", "get"), ("update", "put"), ("delete", "delete"))
    }
    for name, (holder, method) in kept.items():
        if name not in added.methods:
            del holder[method]
    if collection:
        document["paths"][added.path] = collection
    if len(item) > 1:
        document["paths"][f"{added.path}/{{id}}"] = item
    # Parts of a document that is read from a file are never the same object.
    copied: Json = json.loads(json.dumps(document))
    return copied


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


def _data_schema(added: Added) -> Json:
    identifier = _object(id=TEXT, type=TEXT)
    relationships = {
        name: _object(data={"type": "array", "items": identifier} if isinstance(kind, list) else identifier)
        for name, kind in added.relationships.items()
    }
    attributes = {name: copy.deepcopy(schema) for name, (schema, _) in added.attributes.items()}
    return _object(
        attributes=_object(**attributes),
        id=TEXT,
        type=TEXT,
        **({"relationships": _object(**relationships)} if relationships else {}),
    )


def _relationships(added: Added) -> Json:
    return {
        name: {"data": [{"id": ID, "type": kind[0]}] if isinstance(kind, list) else {"id": ID, "type": kind}}
        for name, kind in added.relationships.items()
    }


def _operation(name: str, summary: str, schema: str | None, example: Json | None, *errors: str, **more: Any) -> Json:
    success: Json = {"204": {"description": "no content"}}
    if schema is not None:
        content = {"application/json": {"example": example, "schema": _ref(schema)}}
        success = {"200": {"description": "successful", "content": content}}
    failures = {
        status: {
            "description": _ERRORS[status][0],
            "content": {"application/json": {"example": {"errors": [_ERRORS[status][1]]}}},
        }
        for status in ("401", *errors, "429")
    }
    return {"operationId": name, "summary": summary, "security": [{"BearerHeader": []}], **more} | {
        "responses": success | failures
    }


def _query(added: Added) -> list[Json]:
    if not added.paged:
        return []
    deep = {"in": "query", "required": False, "style": "deepObject", "explode": True}
    filters = "Filters to be applied to the query.\n\n(i.e. filter[name_eq]=Apollo)\n"
    return [
        {"name": "filter", **deep, "description": filters, "schema": {"type": "object"}, "example": '{"a": "b"}'},
        {"name": "page", **deep, "schema": {"type": "object"}, "example": '{"page[number]": 1}'},
        {
            "name": "sort",
            "in": "query",
            "required": False,
            "schema": {"type": "string", "enum": ["created_at", "-created_at", "name", "-name"]},
        },
    ]


def _body(attributes: dict[str, Json], needed: tuple[str, ...]) -> Json:
    inner: Json = _object(**copy.deepcopy(attributes)) | ({"required": list(needed)} if needed else {})
    data: Json = _object(attributes=inner) | {"required": ["attributes"]}
    schema: Json = _object(data=data) | {"required": ["data"]}
    return {"required": True, "content": {"application/json": {"schema": schema}}}

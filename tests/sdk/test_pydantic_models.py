"""Models are types of pydantic and FastAPI as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import jsonschema_rs
import pytest
from contentgroove import Clip, DirectUpload, Media, Page, Transcription, WebhookSubscription
from contentgroove_mock import factories
from fastapi import Body, FastAPI
from pydantic import BaseModel, TypeAdapter, ValidationError

from tests.sdk.conftest import media_json

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS: dict[type[Any], Callable[..., Any]] = {
    Media: factories.media,
    Clip: factories.clip,
    Transcription: factories.transcription,
    WebhookSubscription: factories.webhook_subscription,
    DirectUpload: factories.direct_upload,
}


class Job(BaseModel):
    """An application's own model."""

    media: Media
    clips: list[Clip] = []
    previous: Media | None = None
    by_name: dict[str, Media] = {}


class Listing(BaseModel):
    """One that holds a page."""

    page: Page[Media]


@pytest.mark.parametrize("model", MODELS)
def test_each_model_is_a_type_of_pydantic(model: type[Any]) -> None:
    """From an instance, from a dict and from JSON; a dict that is wrong is an error of pydantic's."""
    value = MODELS[model]()
    adapter = TypeAdapter(model)
    assert adapter.validate_python(value) is value
    assert adapter.validate_python(value.to_dict()) == value
    assert adapter.validate_json(value.to_json()) == value
    assert adapter.dump_python(value) is value
    assert adapter.dump_python(value, mode="json") == value.to_dict()
    assert json.loads(adapter.dump_json(value)) == value.to_dict()
    wrong: Any
    for wrong in (None, 5, [], "x", {}, {"id": 1}):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)


def test_models_in_models() -> None:
    """As fields, in lists and dicts, optional; and back from JSON."""
    media, clip = factories.media(extra={"later": [1]}), factories.clip()
    job = Job(media=media, clips=[clip], by_name={"a": media})
    assert job.media is media
    assert Job.model_validate_json(job.model_dump_json()) == job
    assert json.loads(job.model_dump_json())["clips"] == [clip.to_dict()]
    assert Job.model_validate(job.model_dump()) == job
    with pytest.raises(ValidationError, match="name cannot be read"):
        Job.model_validate({"media": {**media.to_dict(), "name": 5}})


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_schemas_describe_what_is_written(mode: Any) -> None:
    """Each key of `to_dict()` has a schema, and what the contract requires is required."""
    for model, make in MODELS.items():
        schema = TypeAdapter(model).json_schema(mode=mode)
        content = make().to_dict()
        jsonschema_rs.validate(schema, content)
        assert schema["title"] == model.__name__
        assert set(content) <= set(schema["properties"])
        assert all(part["description"] for part in schema["properties"].values())
    schema = TypeAdapter(Media).json_schema(mode=mode)
    assert schema["required"] == ["id", "name", "has_fetch_error", "created_at", "clip_ids"]
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema, {**MEDIA, "name": None})
    nested = Job.model_json_schema(mode=mode)
    assert nested["properties"]["media"] == {"$ref": "#/$defs/Media"}
    jsonschema_rs.validate(nested, json.loads(Job(media=factories.media()).model_dump_json()))


def test_pages_in_models() -> None:
    """A page is taken as it is, and written with its items."""
    page = factories.page([factories.media(), factories.media(id="m-2")], number=3)
    listing = Listing(page=page)
    assert json.loads(listing.model_dump_json()) == {"page": page.to_dict()}
    schema = Listing.model_json_schema(mode="serialization")
    assert schema["properties"]["page"]["properties"]["items"]["items"] == {"$ref": "#/$defs/Media"}
    assert TypeAdapter(Page).dump_python(page, mode="json") == page.to_dict()
    assert listing.model_dump()["page"] is page
    assert listing.model_copy(deep=True) == listing
    with pytest.raises(ValidationError, match="that a call returned"):
        Listing.model_validate({"page": page.to_dict()})


def service() -> FastAPI:
    """Return an application that returns models in each way."""
    app = FastAPI()
    media, page = factories.media(), factories.page([factories.media()])

    @app.get("/media")
    def get_media() -> Media:
        return media

    @app.get("/untyped")
    def get_untyped():  # type: ignore[no-untyped-def] # noqa: ANN202 - as many applications are written
        return media

    @app.get("/untyped-list")
    def get_untyped_list():  # type: ignore[no-untyped-def] # noqa: ANN202 - as above
        return {"medias": [media], "page": page}

    @app.get("/modelled", response_model=Media)
    def get_modelled() -> Any:
        return media

    @app.get("/list")
    async def get_list() -> list[Media]:
        return [media]

    @app.get("/page")
    async def get_page() -> Page[Media]:
        return page

    @app.get("/job")
    async def get_job() -> Job:
        return Job(media=media)

    @app.get("/upload")
    async def get_upload() -> DirectUpload:
        return factories.direct_upload()

    @app.post("/echo")
    async def echo(media: Annotated[Media, Body()]) -> Media:
        return media

    @app.post("/echo-many")
    async def echo_many(medias: Annotated[list[Media], Body()]) -> list[str]:
        return [media.name for media in medias]

    return app


MEDIA = factories.media().to_dict()


async def request(method: str, path: str, content: Any = None) -> httpx.Response:
    """Call the application in this process."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service()), base_url="http://app.test") as client:
        return await client.request(method, path, json=content)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/media", MEDIA),
        ("/untyped", MEDIA),
        ("/untyped-list", {"medias": [MEDIA], "page": {"number": 1, "items": [MEDIA]}}),
        ("/modelled", MEDIA),
        ("/list", [MEDIA]),
        ("/page", {"number": 1, "items": [MEDIA]}),
        ("/job", {"media": MEDIA, "clips": [], "previous": None, "by_name": {}}),
        ("/upload", factories.direct_upload().to_dict()),
    ],
)
async def test_fastapi_returns_models(path: str, expected: Any) -> None:
    """Typed or not, alone, in lists, pages and other models."""
    response = await request("GET", path)
    assert response.json() == expected


@pytest.mark.anyio
async def test_fastapi_takes_models() -> None:
    """In bodies; a wrong one is the caller's error."""
    assert (await request("POST", "/echo", MEDIA)).json() == MEDIA
    assert (await request("POST", "/echo-many", [MEDIA, MEDIA])).json() == [MEDIA["name"]] * 2
    refused = await request("POST", "/echo", media_json())
    assert refused.status_code == 422
    assert "pass what to_dict() returns" in refused.text


@pytest.mark.anyio
async def test_fastapi_documents_models() -> None:
    """The document names each model once."""
    document = (await request("GET", "/openapi.json")).json()
    reference = {"$ref": "#/components/schemas/Media"}
    content = document["paths"]["/media"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert content == reference
    properties = document["components"]["schemas"]["Media"]["properties"]
    assert properties["created_at"]["format"] == "date-time"
    assert set(document["components"]["schemas"]) >= {"Media", "Clip", "Job", "DirectUpload"}


@pytest.mark.process
def test_pydantic_is_not_imported() -> None:
    """Only pydantic's own calls need it."""
    code = (
        "import sys; from contentgroove import Media; from contentgroove_mock import factories; "
        "factories.media().to_json(); sys.exit('pydantic_core' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)  # noqa: S603 - this Python

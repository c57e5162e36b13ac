"""Each numbered defect of the published document is corrected, or the overlay gives a reason.

Defects 1 to 15 are tested in test_corrections_resources and test_corrections_operations.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
import yaml
from contentgroove._openapi.documents import parse
from pipeline.corrections import read

from tests.spec.both_documents import (
    Json,
    corrected_hook,
    own_operations,
    published_hook,
    published_payload,
    response_json,
    schema,
    texts,
)

ROOT = Path(__file__).parents[2]
OVERLAY = read(ROOT / "spec" / "corrections.overlay.yaml")
DEFECTS = range(1, 20)
AUTHENTICATION: list[Json] = [{"BearerHeader": []}, {"ApiKeyHeader": []}, {"ApiKeyQuery": []}]


def excuse(defect: int) -> str:
    """The reason why the overlay does not correct a defect."""
    reason: str
    (reason,) = [item["reason"] for item in OVERLAY["info"]["x-not-corrected"] if item["defect"] == defect]
    return reason


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_is_accounted_for(defect: int) -> None:
    """Each number has an action whose description starts with it, or a written reason for its absence."""
    numbers = {int(found) for action in OVERLAY["actions"] for found in re.findall(r"^\d+", action["description"])}
    excused = {item["defect"] for item in OVERLAY["info"]["x-not-corrected"] if len(item["reason"]) > 40}
    assert defect in numbers | excused
    assert numbers | excused <= set(DEFECTS)


def test_every_action_describes_its_defect() -> None:
    """Each description has a defect's number; the few without one are about authentication, known from prose."""
    unnumbered = [a["target"] for a in OVERLAY["actions"] if not re.match(r"\d+\. \S", a["description"])]
    assert all("securitySchemes" in target or target.endswith(".security") for target in unnumbered)
    assert all(len(action["description"]) > 20 for action in OVERLAY["actions"])


def test_16_a_get_that_creates(published: Json, contract: Json) -> None:
    """OpenAPI cannot express it, so the description does, and the overlay explains why that is all."""
    assert "description" not in published["paths"]["/direct_uploads"]["get"]
    assert "Creates an upload" in contract["paths"]["/direct_uploads"]["get"]["description"]
    assert list(contract["paths"]["/direct_uploads"]) == ["get"]
    assert "GET" in excuse(16)


def test_17_what_the_service_lacks_stays_missing(published: Json, contract: Json) -> None:
    """No signature, no event id, status 200 for creations; a Retry-After may come, and the events are named."""
    for document, hook in ((published, published_hook(published)), (contract, corrected_hook(contract))):
        assert "parameters" not in hook
        creates = [operation for name, operation in own_operations(document) if name.startswith("POST")]
        assert all("200" in operation["responses"] and "201" not in operation["responses"] for operation in creates)
    names = published_hook(published)["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert names.keys() == schema(contract, "webhook_event", "properties").keys() == {"event", "payload"}
    assert "enum" not in names["event"]
    assert "media.processing_finished" in schema(contract, "webhook_event", "properties", "event", "enum")
    for _, operation in own_operations(published):
        assert "headers" not in operation["responses"]["429"]
    for _, operation in own_operations(contract):
        header = operation["responses"]["429"]["headers"]["Retry-After"]
        assert header["required"] is False
        assert "assumed" in header["description"]
    assert all(word in excuse(17) for word in ("signature", "event id", "201", "Retry-After"))


def test_18_timestamps_stay_strings(contract: Json) -> None:
    """A YAML 1.1 reader converts unquoted timestamps to dates; the pipeline does not, and quotes them."""
    unquoted = "created_at: 2025-10-15T13:51:02.558Z\n"
    assert isinstance(yaml.safe_load(unquoted)["created_at"], dt.datetime)
    assert parse(unquoted.encode(), "test") == {"created_at": "2025-10-15T13:51:02.558Z"}
    for name in ("openapi.yaml", "contract.yaml"):
        text = (ROOT / "spec" / name).read_text(encoding="utf-8")
        assert yaml.safe_load(text) == read(ROOT / "spec" / name)
    created = response_json(contract, "/medias/{id}", "get", "200")["example"]["data"]["attributes"]["created_at"]
    assert isinstance(created, str)
    assert "strings" in excuse(18)


def test_19_no_operation_returns_a_transcription(published: Json, contract: Json) -> None:
    """Neither document has such an operation: the text comes only with the webhook."""
    assert published["paths"].keys() == contract["paths"].keys()
    assert not any("transcription" in path for path in contract["paths"])
    included = published_payload(published)["included"]["items"]["oneOf"][1]["properties"]
    assert included["type"]["example"] == "transcriptions"
    assert list(included["attributes"]["properties"]) == ["text"]
    assert schema(contract, "transcription", "properties", "attributes", "required") == ["text"]
    users = [
        name
        for name, item in contract["components"]["schemas"].items()
        if "#/components/schemas/transcription" in texts(item)
    ]
    assert users == ["webhook_event"]
    assert "transcription" in excuse(19)


def test_three_ways_to_authenticate(published: Json, contract: Json) -> None:
    """The published document has an API key in the Authorization header; each operation accepts any of the three."""
    assert published["components"]["securitySchemes"].keys() == {"BearerHeader"}
    assert published["components"]["securitySchemes"]["BearerHeader"]["type"] == "apiKey"
    prose = published["info"]["description"]
    assert all(way in prose for way in ("`Authorization: Bearer abc123`", "`X-API-KEY: abc123`", "`api_key=abc123`"))
    schemes = contract["components"]["securitySchemes"]
    assert {name: {k: v for k, v in item.items() if k != "description"} for name, item in schemes.items()} == {
        "BearerHeader": {"type": "http", "scheme": "bearer"},
        "ApiKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-KEY"},
        "ApiKeyQuery": {"type": "apiKey", "in": "query", "name": "api_key"},
    }
    assert all(operation["security"] == AUTHENTICATION for _, operation in own_operations(contract))


def test_the_server_stays(published: Json, contract: Json) -> None:
    """Corrections do not move the API."""
    assert published["servers"] == contract["servers"]
    assert contract["servers"][0]["url"] == "https://api.contentgroove.com/api/v1"

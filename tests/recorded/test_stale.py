"""A changed contract makes recordings stale, and the message states which, why, and what to do."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove_mock.recording.contract import PackagedContract
from contentgroove_mock.recording.recordings import RecordingError, load, read, stale
from contentgroove_mock.recording.targets import record
from msgspec import structs

from tests.recorded.recordings import CONTRACT, RECORDINGS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def document() -> dict[str, Any]:
    """The contract's document, to be changed."""
    return copy.deepcopy(CONTRACT.document)


def messages(document: dict[str, Any]) -> list[str]:
    """Return the messages for the committed recordings if this were the contract."""
    return stale(RECORDINGS, PackagedContract(document))


def test_a_new_status_is_missing(document: dict[str, Any]) -> None:
    """A newly documented status has no recording."""
    responses = document["paths"]["/medias/{id}"]["get"]["responses"]
    responses["409"] = responses["404"]
    assert messages(document) == [
        "getMediaById-409: the contract documents this response, but it is not recorded. Run make record."
    ]


def test_a_new_operation_and_a_new_webhook_are_missing(document: dict[str, Any]) -> None:
    """Each of their responses is named."""
    document["paths"]["/moods"] = {
        "get": {"operationId": "getMoods", "responses": {"200": {"description": "", "content": {}}}}
    }
    callbacks = document["paths"]["/webhook_subscriptions"]["post"]["callbacks"]
    callbacks["media.deleted"] = copy.deepcopy(callbacks["media.processing_finished"])
    assert [sentence.partition(":")[0] for sentence in messages(document)] == ["getMoods-200", "media.deleted-200"]


def test_the_recording_of_a_removed_status_is_stale(document: dict[str, Any]) -> None:
    """Its recording is named."""
    del document["paths"]["/medias/{id}"]["get"]["responses"]["404"]
    assert messages(document) == ["getMediaById-404: the contract no longer documents this response. Run make record."]


def test_the_recordings_of_a_removed_operation_are_stale(document: dict[str, Any]) -> None:
    """All its recordings are named, and no others."""
    del document["paths"]["/direct_uploads"]
    sentences = messages(document)
    assert len(sentences) == 5
    assert all(sentence.startswith("getUploadUrl-") for sentence in sentences)


def test_a_changed_schema_names_what_depends_on_it(document: dict[str, Any]) -> None:
    """Webhook subscriptions gain an attribute: the responses with one are stale, and the schema is named."""
    schema = document["components"]["schemas"]["webhook_subscription_response_object_data"]
    schema["properties"]["attributes"]["properties"]["secret"] = {"type": "string"}
    assert messages(document) == [
        f"{operation}-200{variant}: the contract has changed since it was recorded: "
        "schema webhook_subscription_response_object_data is different. Run make record."
        for operation in ("createWebhookSubscription", "getWebhookSubscriptionById", "getWebhookSubscriptions")
        for variant in ("", "-example")
    ]


def test_a_changed_request_and_a_changed_response_are_distinguished(document: dict[str, Any]) -> None:
    """The part that changed is named, as are parts that are new or gone."""
    operation = document["paths"]["/direct_uploads"]["get"]
    operation["parameters"] = [{"in": "query", "name": "kind", "schema": {"type": "string"}}]
    assert len(messages(document)) == 5
    assert all("recorded: request is different. Run" in sentence for sentence in messages(document))
    operation["parameters"] = []
    operation["responses"]["200"]["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/to_one"}
    (plain, example) = messages(document)
    assert plain.startswith("getUploadUrl-200: ")
    assert example.startswith("getUploadUrl-200-example: ")
    for change in ("schema to_one is new", "schema direct_upload_response_object is gone", "answer is different"):
        assert change in plain


def test_texts_do_not_make_stale(document: dict[str, Any]) -> None:
    """Descriptions and titles may change; an attribute named description may not."""
    attributes = document["components"]["schemas"]["media_response_object_data"]["properties"]["attributes"]
    attributes["title"] = "Another title"
    attributes["properties"]["name"]["description"] = "Other words."
    document["paths"]["/medias"]["get"]["summary"] = "Other words."
    assert messages(document) == []
    attributes["properties"]["description"]["nullable"] = False
    sentences = messages(document)
    assert {"getMediaById-200", "media.processing_finished-200"} <= {item.partition(":")[0] for item in sentences}
    assert not any(item.startswith("getClip") for item in sentences)


def test_a_file_with_a_wrong_name_is_reported() -> None:
    """Its content belongs to another name."""
    recordings = dict(RECORDINGS)
    recordings["getMedias-402"] = recordings.pop("getMedias-401")
    assert stale(recordings, CONTRACT) == ["getMedias-402: the file contains getMedias-401. Run make record."]


def test_a_live_recording_needs_the_service() -> None:
    """The simulator cannot record it again."""
    live = structs.replace(RECORDINGS["getMedias-200"], variant="live", origin="live", contract={})
    (sentence,) = stale({**RECORDINGS, "getMedias-200-live": live}, CONTRACT)
    assert sentence.startswith("getMedias-200-live: the contract has changed since it was recorded: answer is new")
    assert sentence.endswith("Run LIVE=1 make record, or delete the file.")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """The error is not a parser's traceback, but names the file and what to do."""
    (tmp_path / "getMedias-200.json").write_text('{"operation": 1}', encoding="utf-8")
    with pytest.raises(RecordingError, match=r"getMedias-200\.json is not a recording: .+ make record"):
        load(tmp_path)
    with pytest.raises(RecordingError, match="other is not a recording"):
        read("[]", "other")


def test_an_example_is_recorded_if_nothing_else_is(document: dict[str, Any]) -> None:
    """The simulator never returns 409; the contract's example is recorded, with its origin."""
    responses = document["paths"]["/medias/{id}"]["get"]["responses"]
    example = {"errors": [{"status": "409", "title": "Conflict"}]}
    responses["409"] = {"description": "", "content": {"application/json": {"schema": {}, "example": example}}}
    found = {recording.name: recording for recording in record(PackagedContract(document), through_prism=False)}
    recording = found["getMediaById-409-example"]
    assert recording.origin == "spec example"
    assert recording.response.body == example
    assert len(found) == len(RECORDINGS) + 1


def test_a_response_from_nowhere_is_an_error(document: dict[str, Any]) -> None:
    """Neither the simulator nor an example has it: the error names it."""
    document["paths"]["/medias/{id}"]["get"]["responses"]["409"] = {"description": ""}
    with pytest.raises(RecordingError, match="The contract documents getMediaById-409, but nothing provides it"):
        record(PackagedContract(document), through_prism=False)


def test_what_the_contract_dropped_is_no_longer_recorded(document: dict[str, Any]) -> None:
    """An operation and a status were removed: recording skips them, and everything else stays."""
    del document["paths"]["/clips/{id}"]["put"]
    del document["paths"]["/webhook_subscriptions"]["get"]["responses"]["500"]
    found = {recording.name for recording in record(PackagedContract(document), through_prism=False)}
    gone = {name for name in RECORDINGS if name.startswith("updateClipById-")}
    assert found == set(RECORDINGS) - gone - {"getWebhookSubscriptions-500"}


def test_a_missing_requirement_is_an_error(document: dict[str, Any]) -> None:
    """Without uploads there is no media to record, and the error names what a person must decide."""
    del document["paths"]["/direct_uploads"]
    with pytest.raises(RecordingError, match="createMedia-200: there is no upload to request"):
        record(PackagedContract(document), through_prism=False)

"""A contract that changed makes recordings stale, and the message says which, why, and what to do."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove_mock.recording.contract_parts import PackagedContract
from contentgroove_mock.recording.exchange import RecordingError, read
from contentgroove_mock.recording.folder import load, stale
from contentgroove_mock.recording.simulated import record
from msgspec import structs

from tests.recorded.recordings import CONTRACT, RECORDINGS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def document() -> dict[str, Any]:
    """The contract's document, to be changed."""
    return copy.deepcopy(CONTRACT.document)


def told(document: dict[str, Any]) -> list[str]:
    """What the committed recordings are told, were this the contract."""
    return stale(RECORDINGS, PackagedContract(document))


def test_a_new_status_is_missing(document: dict[str, Any]) -> None:
    """A status that is documented anew has no recording."""
    answers = document["paths"]["/medias/{id}"]["get"]["responses"]
    answers["409"] = answers["404"]
    assert told(document) == [
        "getMediaById-409: the contract documents this answer, and no recording shows it. Run make record."
    ]


def test_a_new_operation_and_a_new_webhook_are_missing(document: dict[str, Any]) -> None:
    """Each answer of theirs is named."""
    document["paths"]["/moods"] = {
        "get": {"operationId": "getMoods", "responses": {"200": {"description": "", "content": {}}}}
    }
    callbacks = document["paths"]["/webhook_subscriptions"]["post"]["callbacks"]
    callbacks["media.deleted"] = copy.deepcopy(callbacks["media.processing_finished"])
    assert [sentence.partition(":")[0] for sentence in told(document)] == ["getMoods-200", "media.deleted-200"]


def test_a_status_that_went_is_left_over(document: dict[str, Any]) -> None:
    """Its recording is named."""
    del document["paths"]["/medias/{id}"]["get"]["responses"]["404"]
    assert told(document) == ["getMediaById-404: the contract does not document this answer any more. Run make record."]


def test_an_operation_that_went_is_left_over(document: dict[str, Any]) -> None:
    """All its recordings are named, and no others."""
    del document["paths"]["/direct_uploads"]
    sentences = told(document)
    assert len(sentences) == 5
    assert all(sentence.startswith("getUploadUrl-") for sentence in sentences)


def test_a_changed_schema_names_what_rests_on_it(document: dict[str, Any]) -> None:
    """Webhook subscriptions gain an attribute: the answers that show one are stale, and the schema is named."""
    schema = document["components"]["schemas"]["webhook_subscription_response_object_data"]
    schema["properties"]["attributes"]["properties"]["secret"] = {"type": "string"}
    assert told(document) == [
        f"{operation}-200{variant}: the contract has changed since it was recorded: "
        "schema webhook_subscription_response_object_data is different. Run make record."
        for operation in ("createWebhookSubscription", "getWebhookSubscriptionById", "getWebhookSubscriptions")
        for variant in ("", "-example")
    ]


def test_a_changed_request_is_told_from_a_changed_answer(document: dict[str, Any]) -> None:
    """The part that changed is named, as are parts that are new or gone."""
    operation = document["paths"]["/direct_uploads"]["get"]
    operation["parameters"] = [{"in": "query", "name": "kind", "schema": {"type": "string"}}]
    assert len(told(document)) == 5
    assert all("recorded: request is different. Run" in sentence for sentence in told(document))
    operation["parameters"] = []
    operation["responses"]["200"]["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/to_one"}
    (plain, example) = told(document)
    assert plain.startswith("getUploadUrl-200: ")
    assert example.startswith("getUploadUrl-200-example: ")
    for change in ("schema to_one is new", "schema direct_upload_response_object is gone", "answer is different"):
        assert change in plain


def test_words_do_not_make_stale(document: dict[str, Any]) -> None:
    """Descriptions and titles may change; an attribute that is called description may not."""
    attributes = document["components"]["schemas"]["media_response_object_data"]["properties"]["attributes"]
    attributes["title"] = "Another title"
    attributes["properties"]["name"]["description"] = "Other words."
    document["paths"]["/medias"]["get"]["summary"] = "Other words."
    assert told(document) == []
    attributes["properties"]["description"]["nullable"] = False
    sentences = told(document)
    assert {"getMediaById-200", "media.processing_finished-200"} <= {item.partition(":")[0] for item in sentences}
    assert not any(item.startswith("getClip") for item in sentences)


def test_a_file_with_a_wrong_name_is_told() -> None:
    """Its content belongs to another name."""
    recordings = dict(RECORDINGS)
    recordings["getMedias-402"] = recordings.pop("getMedias-401")
    assert stale(recordings, CONTRACT) == ["getMedias-402: the file holds getMedias-401. Run make record."]


def test_a_live_recording_asks_for_the_service() -> None:
    """The simulator cannot make it again."""
    live = structs.replace(RECORDINGS["getMedias-200"], variant="live", origin="live", contract={})
    (sentence,) = stale({**RECORDINGS, "getMedias-200-live": live}, CONTRACT)
    assert sentence.startswith("getMedias-200-live: the contract has changed since it was recorded: answer is new")
    assert sentence.endswith("Run LIVE=1 make record, or delete the file.")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """No traceback of a parser, but the file and what to do."""
    (tmp_path / "getMedias-200.json").write_text('{"operation": 1}', encoding="utf-8")
    with pytest.raises(RecordingError, match=r"getMedias-200\.json is no recording: .+ make record"):
        load(tmp_path)
    with pytest.raises(RecordingError, match="other is no recording"):
        read("[]", "other")


def test_what_only_an_example_shows_is_recorded_from_it(document: dict[str, Any]) -> None:
    """The simulator never answers 409; the contract's example stands in, and says so."""
    answers = document["paths"]["/medias/{id}"]["get"]["responses"]
    example = {"errors": [{"status": "409", "title": "Conflict"}]}
    answers["409"] = {"description": "", "content": {"application/json": {"schema": {}, "example": example}}}
    found = {recording.name: recording for recording in record(PackagedContract(document), through_prism=False)}
    recording = found["getMediaById-409-example"]
    assert recording.origin == "spec example"
    assert recording.response.body == example
    assert len(found) == len(RECORDINGS) + 1


def test_what_nothing_shows_is_an_error(document: dict[str, Any]) -> None:
    """Neither the simulator nor an example has it: recording says so, and names it."""
    document["paths"]["/medias/{id}"]["get"]["responses"]["409"] = {"description": ""}
    with pytest.raises(RecordingError, match="Nothing shows getMediaById-409, which the contract documents"):
        record(PackagedContract(document), through_prism=False)


def test_what_the_contract_dropped_is_not_recorded_any_more(document: dict[str, Any]) -> None:
    """An operation and a status went: recording does without them, and all else stays as it is."""
    del document["paths"]["/clips/{id}"]["put"]
    del document["paths"]["/webhook_subscriptions"]["get"]["responses"]["500"]
    found = {recording.name for recording in record(PackagedContract(document), through_prism=False)}
    gone = {name for name in RECORDINGS if name.startswith("updateClipById-")}
    assert found == set(RECORDINGS) - gone - {"getWebhookSubscriptions-500"}


def test_what_the_rest_needs_is_missed(document: dict[str, Any]) -> None:
    """Without uploads there is no media to show, and the error names what a person has to think about."""
    del document["paths"]["/direct_uploads"]
    with pytest.raises(RecordingError, match="createMedia-200: there is no upload to ask about"):
        record(PackagedContract(document), through_prism=False)

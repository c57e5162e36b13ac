from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from contentgroove._openapi.documents import parse
from contentgroove._openapi.operations import base_path, server_urls
from contentgroove.tools.compilation import compile_document
from contentgroove.tools.names import MAX_NAMESPACE, group_name, public_name, to_camel_case, to_slug
from contentgroove.tools.operation_tools import contract_operations

from tests.sdk_calls import SDK_METHODS

# As the API's integration page lists them, with the operation that the contract calls so.
CANONICAL = {
    "clips.getApiV1Clips": "getClips",
    "clips.postApiV1Clips": "createClip",
    "clips.getApiV1ClipsId": "getClipById",
    "clips.putApiV1ClipsId": "updateClipById",
    "clips.deleteApiV1ClipsId": "deleteClipById",
    "directUploads.getApiV1DirectUploads": "getUploadUrl",
    "medias.getApiV1Medias": "getMedias",
    "medias.postApiV1Medias": "createMedia",
    "medias.getApiV1MediasId": "getMediaById",
    "medias.putApiV1MediasId": "updateMediaById",
    "medias.deleteApiV1MediasId": "deleteMediaById",
    "webhookSubscriptions.getApiV1WebhookSubscriptions": "getWebhookSubscriptions",
    "webhookSubscriptions.postApiV1WebhookSubscriptions": "createWebhookSubscription",
    "webhookSubscriptions.getApiV1WebhookSubscriptionsId": "getWebhookSubscriptionById",
    "webhookSubscriptions.deleteApiV1WebhookSubscriptionsId": "deleteWebhookSubscriptionById",
}


def names(document: dict[str, Any]) -> set[str]:
    parsed = parse(json.dumps(document), "it")
    return {
        operation.name
        for operation in compile_document(parsed, base_path(server_urls(parsed)), closed=False).operations
    }


def test_built_in_names() -> None:
    """Each operation has a tool; those of the integration page have its names."""
    built_in = {operation.name: operation.operation_id for operation in contract_operations()}
    assert CANONICAL.items() <= built_in.items()
    assert sorted(built_in.values()) == sorted(SDK_METHODS)


def test_names_hold_where_the_base_path_stands_in_the_paths(contract: str) -> None:
    """Earlier generations of the document have it in their paths, and a picture among their servers."""
    document = yaml.safe_load(contract)
    document["paths"] = {f"/api/v1{path}": item for path, item in document["paths"].items()}
    for servers in (
        [{"url": "https://api.contentgroove.com"}],
        [{"url": "https://contentgroove.com/logo.svg"}, {"url": "https://api.contentgroove.com"}],
    ):
        document["servers"] = servers
        assert names(document) == {operation.name for operation in contract_operations()}


def test_names_without_tags(contract: str) -> None:
    """Without tags, the group is the first segment of the path that is not a prefix."""
    document = yaml.safe_load(contract)
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("tags", None)
    assert names(document) == {operation.name for operation in contract_operations()}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("webhook_subscriptions", "webhookSubscriptions"),
        ("Pet Store", "petStore"),
        ("API keys", "apiKeys"),
        ("createdAt", "createdAt"),
        ("Äpfel & Öl", "apfelOl"),
        ("映画", ""),
    ],
)
def test_camel_case(text: str, named: str) -> None:
    """Words are joined; letters lose their marks, and what is left of nothing is nothing."""
    assert to_camel_case(text) == named


@pytest.mark.parametrize(
    ("tags", "path", "group"),
    [
        (["Pet Store"], "/x", "petStore"),
        (["映画"], "/api/v2/{account}/user_films", "userFilms"),
        ([], "/api/v1/{id}", "default"),
        ([], "/", "default"),
    ],
)
def test_group(tags: list[str], path: str, group: str) -> None:
    """The first tag names the group, else the path, else nothing does."""
    assert group_name(tags, path) == group


def test_slug() -> None:
    """A title becomes a namespace of bounded length."""
    assert to_slug("Nexmo Application API (v2)") == "nexmo-application-api-v2"
    assert to_slug("!") == ""
    assert len(to_slug("a title that is far longer than any name may be")) <= MAX_NAMESPACE


def test_published_names_fit_hosts() -> None:
    """No dots, at most 64 characters, and two long names stay two."""
    assert public_name("clips.getApiV1Clips", dotted=False) == "clips_getApiV1Clips"
    assert public_name("clips.getApiV1Clips", dotted=True) == "clips.getApiV1Clips"
    long = [public_name(f"a.{'b' * 80}{end}", dotted=False) for end in "cd"]
    assert len(set(long)) == 2
    assert {len(name) for name in long} == {64}


def test_two_operations_never_share_a_name() -> None:
    """Paths that differ in signs alone get different names."""
    get = {"get": {"responses": {}, "tags": ["t"]}}
    document = {"openapi": "3.1.0", "info": {"title": "T"}, "paths": {"/a-b": get, "/a_b": get, "/a/b": get}}
    assert names(document) == {"t.getAB", "t.getAB2", "t.getAB3"}

"""New members can be allowed by name, everywhere or for one operation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contentgroove.errors import ConfigurationError
from contentgroove_mock.contract import Checker

from tests.contract.exchanges import example, request, response, webhook

MEDIA = "/api/v1/medias/some-id"


def with_new_members() -> dict[str, Any]:
    """Return the example of a media with two new attributes."""
    body = example("/medias/{id}")
    body["data"]["attributes"] |= {"mood": {"calm": 1}, "a/b": 2}
    return body


def new_members(checker: Checker, method: str = "GET") -> list[str]:
    """Return the locations of what is not allowed in a media."""
    sent = {"data": {"attributes": {"name": "x"}}} if method == "PUT" else None
    found = checker.check(request(method, MEDIA, sent), response(200, with_new_members()))
    return sorted(violation.location.rpartition("attributes/")[2] for violation in found)


def test_a_member_is_allowed_by_its_name() -> None:
    """In every body, wherever it is; all others stay violations."""
    assert new_members(Checker()) == ["a~1b", "mood"]
    checker = Checker(allow=["mood"])
    assert new_members(checker) == ["a~1b"]
    assert new_members(checker, "PUT") == ["a~1b"]
    body = webhook()
    body["payload"]["data"]["attributes"]["mood"] = None
    assert checker.check_webhook(json.dumps(body).encode()) == []


def test_a_member_is_allowed_where_it_is_new() -> None:
    """Only in the bodies of one operation or event."""
    checker = Checker(allow=["getMediaById:mood"])
    assert new_members(checker) == ["a~1b"]
    assert new_members(checker, "PUT") == ["a~1b", "mood"]
    body = webhook()
    body["payload"]["name"] = "x"
    assert Checker(allow=["media.processing_finished:name"]).check_webhook(json.dumps(body).encode()) == []


def test_other_violations_of_the_member_stay() -> None:
    """A name that is allowed is not a reason for a missing field."""
    body = example("/medias/{id}")
    del body["data"]["attributes"]["name"]
    found = Checker(allow=["getMediaById:name"]).check(request("GET", MEDIA), response(200, body))
    assert [violation.rule for violation in found] == ["missing-field"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("getMediaByID:mood", "there is no operation or event 'getMediaByID'. Did you mean getMediaById?"),
        ("x:mood", "There are getClips, createClip"),
        ("name", "the document has a member of this name already. Write where it is new: OPERATION:name"),
        ("", "write the name of the member alone, such as mood"),
        ("getMedias:", "write the name of the member alone"),
        (":mood", "write the name of the member alone"),
        ("data/attributes/mood", "write the name of the member alone"),
        (" mood", "write the name of the member alone"),
    ],
)
def test_a_wrong_name_is_refused(name: str, message: str) -> None:
    """The error says what is wrong, and what to write."""
    with pytest.raises(ConfigurationError) as caught:
        Checker(allow=["mood", name])
    assert f"allow={name!r}: " in caught.value.message
    assert message in caught.value.message


def test_names_are_a_list() -> None:
    """A text would be a list of its letters."""
    with pytest.raises(ConfigurationError, match="must be a list of names"):
        Checker(allow="mood")

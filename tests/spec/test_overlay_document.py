"""The applier, sentence by sentence of the Overlay Specification (1.0.0 and 1.1.0)."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from contentgroove_spec import PipelineError
from pipeline.overlay import apply_actions, apply_overlay, check_overlay


def overlay(*actions: dict[str, Any], version: str = "1.1.0") -> dict[str, Any]:
    """Write an overlay document."""
    return {"overlay": version, "info": {"title": "T", "version": "1"}, "actions": list(actions)}


DOCUMENT: dict[str, Any] = {
    "info": {"title": "Old", "tags": ["a"], "deep": {"keep": 1, "change": 2}},
    "paths": {
        "/a": {"get": {"parameters": [{"name": "x", "in": "query"}, {"name": "y", "in": "query"}]}},
        "/b": {"get": {"parameters": [{"name": "x", "in": "query"}]}, "post": {"summary": "p"}},
    },
    "list": [1, 2, 3, 2],
}


@pytest.mark.parametrize(
    ("action", "target", "expected"),
    [
        # "A property that only exists in the `update` object is inserted into the target object."
        ({"target": "$.info", "update": {"new": True}}, ("info", "new"), True),
        # "A primitive value of the `update` property replaces a primitive value of the target property."
        ({"target": "$.info", "update": {"title": "New"}}, ("info", "title"), "New"),
        # "An array value … is concatenated with an array value of the target property."
        ({"target": "$.info", "update": {"tags": ["b"]}}, ("info", "tags"), ["a", "b"]),
        # "An object value … is recursively merged"; "A property that only exists in the target … is left unchanged."
        ({"target": "$.info", "update": {"deep": {"change": 3}}}, ("info", "deep"), {"keep": 1, "change": 3}),
        # "If the target selects array nodes, … an array to concatenate … or an object or primitive value to append."
        ({"target": "$.list", "update": [4]}, ("list",), [1, 2, 3, 2, 4]),
        ({"target": "$.list", "update": 4}, ("list",), [1, 2, 3, 2, 4]),
        ({"target": "$.info.tags", "update": {"o": 1}}, ("info", "tags"), ["a", {"o": 1}]),
        # A node that the query returns twice is changed once.
        ({"target": "$['list','list']", "update": 4}, ("list",), [1, 2, 3, 2, 4]),
        # "If the `target` selects primitive nodes, … a primitive value to replace each selected node."
        ({"target": "$.info.title", "update": "New"}, ("info", "title"), "New"),
        ({"target": "$.list[?@ == 2]", "update": 9}, ("list",), [1, 9, 3, 9]),
        # Several nodes, by a filter.
        (
            {"target": "$.paths.*.get.parameters[?@.name == 'x']", "update": {"required": False}},
            ("paths", "/b", "get", "parameters"),
            [{"name": "x", "in": "query", "required": False}],
        ),
        # The root.
        ({"target": "$", "update": {"x-new": 1}}, ("x-new",), 1),
        # remove: from a map, from an array, several at once.
        ({"target": "$.info.deep.keep", "remove": True}, ("info", "deep"), {"change": 2}),
        ({"target": "$.list[0]", "remove": True}, ("list",), [2, 3, 2]),
        ({"target": "$.list[?@ == 2]", "remove": True}, ("list",), [1, 3]),
        ({"target": "$.list[0, 0, 3]", "remove": True}, ("list",), [2, 3]),
        # "This field has no impact if the `remove` field of this action object is `true`."
        ({"target": "$.list", "remove": True, "update": [7]}, ("list",), None),
        # remove: false is the default, and update applies.
        ({"target": "$.info", "remove": False, "update": {"title": "New"}}, ("info", "title"), "New"),
        # copy: a single node into the targets (1.1).
        ({"target": "$.paths['/a']", "copy": "$.paths['/b'].post"}, ("paths", "/a", "summary"), "p"),
    ],
)
def test_sentence(action: dict[str, Any], target: tuple[str, ...], expected: object) -> None:
    """One action has the specified effect, and does not change the original."""
    before = copy.deepcopy(DOCUMENT)
    value: Any = apply_overlay(DOCUMENT, overlay(action))
    for step in target:
        value = value.get(step)
    assert value == expected
    assert before == DOCUMENT


def test_actions_are_applied_in_order() -> None:
    """A later action sees the effect of an earlier one."""
    result = apply_overlay(
        DOCUMENT, overlay({"target": "$", "update": {"new": {}}}, {"target": "$.new", "update": {"a": 1}})
    )
    assert result["new"] == {"a": 1}


@pytest.mark.parametrize(
    ("action", "target", "expected"),
    [
        # "If the target selects an array, the value of this field MUST be an entry to append to the array."
        ({"target": "$.list", "update": [4]}, ("list",), [1, 2, 3, 2, [4]]),
        ({"target": "$.list", "update": {"o": 1}}, ("list",), [1, 2, 3, 2, {"o": 1}]),
        # "the value of this field MUST be an object with the properties and values to merge with the selected node"
        ({"target": "$.info", "update": {"title": "New"}}, ("info", "title"), "New"),
    ],
)
def test_sentence_of_1_0(action: dict[str, Any], target: tuple[str, ...], expected: object) -> None:
    """An overlay of version 1.0 is applied by the sentences of 1.0 (Action Object)."""
    value: Any = apply_overlay(DOCUMENT, overlay(action, version="1.0.1"))
    for step in target:
        value = value[step]
    assert value == expected


def test_primitives_are_not_updated_by_1_0() -> None:
    """1.0: "The result of the `target` … MUST be zero or more objects or arrays (not primitive types …)"."""
    with pytest.raises(PipelineError, match=r"use 1\.1\.0"):
        apply_overlay(DOCUMENT, overlay({"target": "$.info.title", "update": "New"}, version="1.0.0"))


def test_copies_have_the_value_before_the_action() -> None:
    """A source that is itself a target does not grow between two targets."""
    document = {"a": {"x": [1]}, "b": {}}
    result = apply_overlay(document, overlay({"target": "$.*", "copy": "$.a"}))
    assert result == {"a": {"x": [1, 1]}, "b": {"x": [1]}}


@pytest.mark.parametrize(("old", "new"), [(0, False), (1, True), (1, 1.0)])
def test_a_change_of_values_that_are_equal_in_python(old: object, new: object) -> None:
    """A correction of the type alone is not stale."""
    result = apply_overlay({"default": old}, overlay({"target": "$", "update": {"default": new}}))
    assert type(result["default"]) is type(new)


def test_updates_share_nothing() -> None:
    """One update of two nodes makes two values."""
    result = apply_overlay(
        DOCUMENT,
        overlay({"target": "$.paths.*", "update": {"servers": []}}, {"target": "$.paths['/a'].servers", "update": [1]}),
    )
    assert result["paths"]["/b"]["servers"] == []


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            {"target": "$.gone", "description": "3. Fix it", "update": {}},
            r"Action 0 \(3\. Fix it; target \$\.gone\) selects nothing",
        ),
        ({"target": "$.list[?@ == 99]", "remove": True}, "selects nothing"),
        ({"target": "$.info", "update": {"title": "Old"}}, "changes nothing"),
        ({"target": "$.info", "update": {"title": {}}}, "cannot be merged"),
        ({"target": "$.info", "update": [1]}, "only be merged with an object"),
        ({"target": "$.info.title", "update": {"a": 1}}, "only be replaced by a primitive"),
        ({"target": "$.info", "update": {"tags": {}}}, "tags is an array and cannot be merged with an object"),
        ({"target": "$.info"}, "changes nothing"),
        ({"target": "$.info", "copy": "$.gone"}, "must select one node, not 0"),
        ({"target": "$.info.*", "update": {}}, "several kinds"),
        ({"target": "$", "remove": True}, "root cannot be removed"),
        ({"target": "$.info", "copy": "$.paths.*"}, "must select one node, not 2"),
    ],
)
def test_actions_that_cannot_be_applied_name_themselves(action: dict[str, Any], words: str) -> None:
    """A correction that is stale or cannot work is an error."""
    with pytest.raises(PipelineError, match=words):
        apply_overlay(DOCUMENT, overlay(action))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"overlay": "2.0.0"}, "'2.0.0' is not a version"),
        ({"overlay": "1.1"}, "'1.1' is not a version"),
        ({"overlay": 1.1}, "1.1 is not a version"),
        ({"info": None}, "no info object"),
        ({"info": {"title": "T"}}, "info.version must be a string"),
        ({"info": {"title": "T", "version": 1}}, "info.version must be a string"),
        ({"info": {"title": "T", "version": "1", "description": 5}}, "info.description must be a string"),
        ({"info": {"title": "T", "version": "1", "author": "a"}}, "info has unknown fields: author"),
        ({"actions": []}, "at least one action"),
        ({"actions": {}}, "actions must be a list"),
        ({"actions": ["a"]}, "Action 0 must be an object"),
        ({"actions": [{}]}, "Action 0 has no target"),
        ({"actions": [{"target": 5}]}, "target of action 0 must be a str"),
        ({"actions": [{"target": "no path"}]}, "target of action 0 is not a JSONPath"),
        ({"actions": [{"target": "$", "copy": "no path"}]}, "copy of action 0 is not a JSONPath"),
        ({"actions": [{"target": "$", "copy": 5}]}, "copy of action 0 must be a str"),
        ({"actions": [{"target": "$", "copy": "$.a", "update": {}}]}, "has both update and copy"),
        ({"actions": [{"target": "$", "remove": "yes"}]}, "remove of action 0 must be a bool"),
        ({"actions": [{"target": "$", "description": 5}]}, "description of action 0 must be a str"),
        ({"actions": [{"target": "$", "updates": {}}]}, "action 0 has unknown fields: updates"),
        ({"actions": [{"target": "$", "update": {"a": 1}}] * 2}, "Two actions are the same"),
        ({"extends": 5}, "extends must be a URI reference"),
        ({"other": 1}, "the overlay has unknown fields: other"),
    ],
)
def test_invalid_overlays_are_rejected(change: dict[str, Any], words: str) -> None:
    """An overlay document that violates the specification is rejected as a whole, with the location."""
    document = {**overlay({"target": "$", "update": {"a": 1}}), **change}
    with pytest.raises(PipelineError, match=re.escape(words)):
        check_overlay(document)


def test_extensions_are_allowed() -> None:
    """`x-` members are allowed everywhere (Specification Extensions)."""
    document = overlay({"target": "$", "update": {"a": 1}, "x-why": "because"})
    document["x-other"] = 1
    document["info"]["x-more"] = 2
    assert apply_overlay(DOCUMENT, document)["a"] == 1


def test_copy_is_new_in_1_1() -> None:
    """An overlay of version 1.0 cannot copy."""
    with pytest.raises(PipelineError, match=r"new in Overlay 1\.1"):
        apply_overlay(DOCUMENT, overlay({"target": "$.info", "copy": "$.list"}, version="1.0.0"))


def test_what_fails_does_not_hide_the_rest() -> None:
    """All that can be applied is applied, the failures are named together, and the document itself stays."""
    before = copy.deepcopy(DOCUMENT)
    actions: list[dict[str, Any]] = [
        {"target": "$.nowhere", "update": {"a": 1}},
        {"target": "$.info", "update": {"x-a": 1}},
        {"target": "$.info", "update": {"x-b": 1, "title": {}}},
    ]
    result, failed = apply_actions(DOCUMENT, overlay(*actions))
    assert [(failure.action, failure.gap) for failure in failed] == [(0, "selects nothing"), (2, "cannot be applied")]
    assert result["info"] == {**DOCUMENT["info"], "x-a": 1, "x-b": 1}
    assert before == DOCUMENT
    with pytest.raises(PipelineError, match=r"(?s)Action 0 .* selects nothing.*Action 2 .*: title is a primitive"):
        apply_overlay(DOCUMENT, overlay(*actions))


def test_what_is_left_out() -> None:
    """A write that is not allowed leaves the others of its action in effect."""
    update = {"target": "$.info", "update": {"x-a": 1, "deep": {"keep": 2, "change": 3}, "required": ["a", "b"]}}
    result, failed = apply_actions(
        DOCUMENT, overlay(update), lambda write: write.location[-1] not in {"x-a", "keep", "b"}
    )
    assert failed == []
    assert result["info"] == {**DOCUMENT["info"], "deep": {"keep": 1, "change": 3}, "required": ["a"]}


def test_each_name_of_a_target() -> None:
    """On demand, a name that selects nothing is an error although the others select something."""
    action = {"target": "$.info['title','gone','lost']", "remove": True}
    result, failed = apply_actions(DOCUMENT, overlay(action), each_name=True)
    assert "title" not in result["info"]
    assert [failure.target for failure in failed] == ["$['info']['gone']", "$['info']['lost']"]
    assert apply_actions(DOCUMENT, overlay(action))[1] == []

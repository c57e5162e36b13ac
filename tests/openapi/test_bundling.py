"""A document's references to files beside it: what is read, and what must not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from contentgroove._openapi import bundling
from contentgroove._openapi.bundling import bundle
from contentgroove._openapi.documents import DocumentError, Limits
from contentgroove._openapi.folders import find_document
from contentgroove._openapi.pointers import references, resolve_reference

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, **files: Any) -> None:
    """Write files; `__` in a name is a folder."""
    for name, content in files.items():
        file = folder / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(content), encoding="utf-8")


def document_with(*refs: str) -> dict[str, Any]:
    """Return a document with a schema for each reference."""
    schemas = {f"S{index}": {"$ref": reference} for index, reference in enumerate(refs)}
    return {"openapi": "3.1.0", "info": {}, "paths": {}, "components": {"schemas": schemas}}


def bundled(folder: Path, *refs: str, limits: Limits | None = None) -> dict[str, Any]:
    """Return the bundled document of a folder that has the references."""
    return bundle(document_with(*refs), folder / "openapi.yaml", limits or Limits())


def test_a_document_without_other_files_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing is copied."""
    document = document_with("#/components/schemas/S1", "https://example.com/film.yaml")
    assert bundle(document, tmp_path / "openapi.yaml", Limits()) is document


def test_files_are_part_of_the_document(tmp_path: Path) -> None:
    """Each is read once; what its own references name is found too, in whichever file it is."""
    written(
        tmp_path,
        schemas__film={"type": "object", "properties": {"cast": {"$ref": "people.yaml#/Person"}}},
        schemas__people={
            "Person": {"properties": {"films": {"$ref": "film.yaml"}, "boss": {"$ref": "#/Person"}}},
            "Id": {"$ref": "../openapi.yaml#/components/schemas/S1"},
        },
    )
    document = bundled(tmp_path, "./schemas/film.yaml", "schemas/people.yaml#/Person")
    assert set(document[bundling.MEMBER]) == {"schemas/film.yaml", "schemas/people.yaml"}
    assert "../openapi.yaml" not in str(document)
    film = resolve_reference(document, document["components"]["schemas"]["S0"]["$ref"])
    person = resolve_reference(document, film["properties"]["cast"]["$ref"])
    assert resolve_reference(document, person["properties"]["films"]["$ref"]) is film
    assert resolve_reference(document, person["properties"]["boss"]["$ref"]) is person
    identifier = document[bundling.MEMBER]["schemas/people.yaml"]["Id"]
    assert resolve_reference(document, identifier["$ref"]) == document["components"]["schemas"]["S1"]


def test_names_with_other_characters(tmp_path: Path) -> None:
    """A reference is a URI, and its fragment a JSON pointer: both have their escapes."""
    (tmp_path / "a b~c%.yaml").write_text("'x/y': {type: string}\n", encoding="utf-8")
    document = bundled(tmp_path, "a%20b~c%25.yaml#/x~1y")
    assert resolve_reference(document, document["components"]["schemas"]["S0"]["$ref"]) == {"type": "string"}


@pytest.mark.parametrize(
    "reference",
    [
        "../secret.yaml",
        "schemas/../../secret.yaml",
        "%2e%2e/secret.yaml",
        "link.yaml",
        "linked/secret.yaml",
        "secret.txt",
        "missing.yaml",
        "broken.yaml",
        "schemas",
        "https://example.com/film.yaml",
        "//example.com/film.yaml",
        "film.yaml#anchor",
    ],
)
def test_nothing_else_is_read(tmp_path: Path, reference: str) -> None:
    """Not what is outside of the folder, by whatever way, nor what is not a document; the reference stays."""
    written(tmp_path, secret={"key": "hidden"}, api__film={"type": "object"}, api__schemas__a={})
    folder = tmp_path / "api"
    (folder / "secret.txt").write_text("key: hidden\n", encoding="utf-8")
    (folder / "broken.yaml").write_text("key: [hidden\n", encoding="utf-8")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "linked").symlink_to(tmp_path)
    document = bundled(folder, reference)
    assert list(references(document)) == [reference]
    assert "hidden" not in str(document)


def test_an_absolute_path_is_not_read(tmp_path: Path) -> None:
    """Not even in the document's folder: what a document may name does not depend on where it is."""
    written(tmp_path, film={"type": "object"})
    for reference in (str(tmp_path / "film.yaml"), (tmp_path / "film.yaml").as_uri()):
        assert list(references(bundled(tmp_path, reference))) == [reference]


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files together have a size, and so has their number."""
    written(tmp_path, a={"description": "a" * 60}, b={"description": "b" * 60})
    assert bundled(tmp_path, "a.yaml", limits=Limits(bytes=100))
    with pytest.raises(DocumentError, match=r"openapi\.yaml names more than .* or more than 100 bytes"):
        bundled(tmp_path, "a.yaml", "b.yaml", limits=Limits(bytes=100))
    monkeypatch.setattr(bundling, "MAX_FILES", 1)
    with pytest.raises(DocumentError, match="more than 1 files"):
        bundled(tmp_path, "a.yaml", "b.yaml")


def test_a_folder_with_a_document_of_several_files(tmp_path: Path) -> None:
    """The files that it refers to are not documents of their own."""
    written(tmp_path, api=document_with("film.yaml"), film={"type": "object"})
    file, document = find_document(tmp_path)
    assert file.name == "api.yaml"
    assert document[bundling.MEMBER] == {"film.yaml": {"type": "object"}}

"""The names of a resource in code and in sentences, and sentences about what a document does not describe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "number", "integer", "boolean", "time", "texts", "json"]

_IRREGULAR = {"medias": "media"}


@dataclass(frozen=True)
class Names:
    """The names of a resource in code and texts.

    Attributes:
        segment: Its segment in paths, such as `brand-kits`.
        plural: Its attribute of clients, such as `brand_kits`.
        singular: One of them, such as `brand_kit`.
        model: The class of its model, such as `BrandKit`.
    """

    segment: str
    plural: str
    singular: str
    model: str

    @property
    def models(self) -> str:
        """The class of its calls, such as `BrandKits`."""
        return camel(self.plural)

    @property
    def command(self) -> str:
        """Its group of commands, such as `brand-kits`."""
        return self.plural.replace("_", "-")

    @property
    def words(self) -> str:
        """One of them in a sentence, such as `brand kit`."""
        return self.singular.replace("_", " ")

    @property
    def many(self) -> str:
        """Several of them in a sentence, such as `brand kits`."""
        return self.plural.replace("_", " ")

    @property
    def an(self) -> str:
        """One of them with its article, such as `a brand kit`."""
        return f"{'an' if self.words[0] in 'aeio' else 'a'} {self.words}"


def names_of(segment: str, model: str | None = None) -> Names:
    """Return the names of a resource, by the segment of its paths."""
    plural = snake(segment)
    singular = snake(model) if model else singular_of(plural)
    return Names(segment, plural, singular, model or camel(singular))


def singular_of(plural: str) -> str:
    """Return the name of one of several; `medias` is the word of the API."""
    if plural in _IRREGULAR:
        return _IRREGULAR[plural]
    if plural.endswith("ies"):
        return f"{plural[:-3]}y"
    if plural.endswith(("sses", "xes", "ches", "shes")):
        return plural[:-2]
    return plural[:-1] if plural.endswith("s") and not plural.endswith("ss") else plural


def snake(text: str) -> str:
    """Return a name in snake case."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()).strip("_")


def camel(text: str) -> str:
    """Return a name in snake case as the name of a class."""
    return "".join(part.capitalize() for part in text.split("_"))


def describe(name: str, names: Names, kind: Kind) -> str:
    """Return a sentence about an attribute that the document does not describe, from its name."""
    words = name.replace("_", " ")
    known = {
        "created_at": f"When the {names.words} was created.",
        "updated_at": f"When the {names.words} was last changed.",
    }
    endings = {
        "_at": f"When it was {words[:-3]}.",
        "_url": f"The URL of the {names.words}'s {words[:-4]}.",
        "_count": f"The number of {_plural(words[:-6])}.",
        "_id": f"The id of the {words[:-3]}.",
    }
    if name in known:
        return known[name]
    if kind == "boolean":
        return f"Whether the {names.words} is {words.removeprefix('is ')}."
    ending = next((text for end, text in endings.items() if name.endswith(end)), None)
    return ending or f"The {names.words}'s {words}."


def _plural(words: str) -> str:
    return words if words.endswith("s") else f"{words}s"


def sentence(text: str) -> str:
    """Return a text as one line that ends in a full stop."""
    line = " ".join(text.split()).rstrip()
    line = line[:1].upper() + line[1:]
    return line if line.endswith((".", "!", "?")) else f"{line}."

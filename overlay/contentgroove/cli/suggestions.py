"""What was probably meant by a mistyped name or id."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from contentgroove.errors import ContentGrooveError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contentgroove import ContentGroove
    from contentgroove.errors import NotFoundError

_MIN_PREFIX = 4
_SIMILAR_IDS = 0.8
"""Two random ids have about 0.5 in common."""

_SIMILAR_VARIABLES = 0.9
"""CONTENTGROOVE_API_KEY and CONTENTGROOVE_CHECKPOINTS have 0.6 in common, and two of its letters exchanged 0.95."""

_RECENT = 100
_RESOURCES = {"medias": "medias", "clips": "clips", "webhook_subscriptions": "webhook_subscriptions"}


def similar(word: str, names: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the name that is most similar to a word: one that starts with it, or one with a slip; None if none is."""
    from difflib import get_close_matches

    known = {name.casefold(): name for name in names}
    word = word.casefold()
    begun = sorted((name for name in known if name.startswith(word)), key=len) if len(word) >= _MIN_PREFIX else []
    found = get_close_matches(word, known, n=1, cutoff=cutoff) or begun[:1]
    return known[found[0]] if found else None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return a sentence with the most similar name, with a space in front; empty if none is similar."""
    found = similar(word, names)
    return "" if found is None else either([found])


def either(names: Iterable[str]) -> str:
    """Return a sentence that asks which of several names was meant, with a space in front; empty without a name."""
    *others, last = [repr(name) for name in names] or [""]
    return f" Did you mean {', '.join(others)}{' or ' * bool(others)}{last}?" if last else ""


def misspelt_variables(known: Sequence[str]) -> dict[str, str]:
    """Return the environment's variables that are probably mistyped, with those that are meant, which are not set."""
    from difflib import get_close_matches

    unset = [name for name in known if not os.environ.get(name)]
    found = {name: get_close_matches(name.upper(), unset, n=1, cutoff=_SIMILAR_VARIABLES) for name in os.environ}
    return {name: close[0] for name, close in found.items() if close and name not in known}


def did_you_mean_id(client: ContentGroove, error: NotFoundError) -> str:
    """Return a sentence with the resource that was probably meant by an id that does not exist; else an empty text.

    That takes one more request, for the newest hundred resources of the same kind.
    """
    collection, _, missing = (error.request.url if error.request else "").partition("?")[0].rpartition("/")
    resource: Any = getattr(client, _RESOURCES.get(collection.rpartition("/")[2], ""), None)
    if resource is None or not missing:
        return ""
    from urllib.parse import unquote

    return did_you_mean_resource(resource, unquote(missing))


def did_you_mean_resource(resource: Any, missing: str) -> str:
    """Return a sentence with an item of `client.medias` or the like that has a similar id; else an empty text."""
    try:
        newest = list(next(iter(resource.list(sort="-created_at", page_size=_RECENT).pages()), ()))
    except ContentGrooveError:
        return ""
    for item in newest:
        if getattr(item, "name", None) == missing:
            return f" Did you mean {item.id}, which has this name?"
    found = similar(missing, (item.id for item in newest), cutoff=_SIMILAR_IDS)
    return "" if found is None else f" Did you mean {found}?"

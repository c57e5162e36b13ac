"""Compares how calls are authenticated: the alternatives of each operation, and the schemes that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.pointers import escape

from .changes import Location
from .reading import Part, encoded, same_value
from .texts import report_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Direction
    from .context import Context
    from .operations import Operation
    from .reading import Reader

_SCHEMES = "/components/securitySchemes/"
_TEXTS = frozenset({"description", "bearerFormat", "deprecated"})
_FLOW_URLS = ("authorizationUrl", "tokenUrl", "refreshUrl", "deviceAuthorizationUrl")

Alternative = dict[str, frozenset[str]]
"""The schemes that are required together, each with its scopes."""


class Security:
    """Compares the security of two documents.

    A scheme with another name and the same content is the same scheme.

    Attributes:
        required: The names of the schemes that an operation requires, in either document.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._schemes = tuple(_schemes(reader) for reader in context.readers)
        self._names = dict(self._renamed())
        self._used: dict[str, list[tuple[Location, Direction]]] = {}
        self.required: set[str] = set()

    def _renamed(self) -> Iterator[tuple[str, str]]:
        """Yield new schemes that have another name in the old document, with that name."""
        old, new = self._schemes
        known = {_content(part): name for name, part in old.items() if name not in new}
        for name, part in new.items():
            if name not in old and _content(part) in known:
                yield name, known[_content(part)]

    def compare(self, old: Operation, new: Operation) -> None:
        """Compare the security of one operation."""
        location, direction = new.location("security"), new.direction()
        self._context.locate(location)
        origins = _origin(self._context.readers[0], old), _origin(self._context.readers[1], new)
        before = _alternatives(self._context.readers[0], origins[0], {})
        after = _alternatives(self._context.readers[1], origins[1], self._names)
        for name in {name for alternative in before for name in alternative}:
            if any(name in alternative for alternative in after):
                self._used.setdefault(name, []).append((new.location("security"), direction))
        for part in origins:
            self.required.update(str(name) for item in as_list(part and part.value) for name in as_object(item))
        self._note_undefined(before, after, origins)
        if before != after:
            self._alternatives(before, after, origins, location, direction)

    def _note_undefined(
        self, before: list[Alternative], after: list[Alternative], origins: tuple[Part | None, Part | None]
    ) -> None:
        """Note requirements of schemes that only the other document defines: what they mean now is unknown."""
        old, new = self._schemes
        defined = {*old}, {self._names.get(name, name) for name in new}
        for side, (alternatives, part) in enumerate(zip((before, after), origins, strict=True)):
            for name in {name for alternative in alternatives for name in alternative}:
                if part is not None and name in defined[1 - side] and name not in defined[side]:
                    reason = f"It requires the security scheme `{name}`, which the document does not define."
                    self._context.readers[side].note(part.pointer, reason)

    def _alternatives(
        self,
        before: list[Alternative],
        after: list[Alternative],
        origins: tuple[Part | None, Part | None],
        location: Location,
        direction: Direction,
    ) -> None:
        old, new = origins
        add = self._context.findings.at
        was_open, is_open = ({} in alternatives or not alternatives for alternatives in (before, after))
        if was_open and not is_open:
            add("security-added", None, None if new is None else Part(new.pointer, _text(after)), location, direction)
        elif is_open and not was_open:
            add("security-removed", old, None, location, direction)
        for alternative in filter(None, before):
            weaker = [other for other in after if other and _accepts(other, alternative)]
            if not weaker and not is_open:
                add("security-alternative-removed", old, None, location, direction, name=_name(alternative))
            elif weaker and alternative not in weaker and weaker[0] not in before:
                was, now = (
                    None if part is None else Part(part.pointer, _name(names))
                    for part, names in ((old, alternative), (new, weaker[0]))
                )
                add("security-alternative-relaxed", was, now, location, direction)
        if was_open and not is_open:
            return
        for alternative in filter(None, after):
            if alternative not in before and not any(_accepts(alternative, other) for other in before):
                add("security-alternative-added", None, new, location, direction, name=_name(alternative))

    def compare_schemes(self) -> None:
        """Compare the schemes that operations require; the others are compared like all unused components."""
        names = {old: new for new, old in self._names.items()}
        for name, old in self._schemes[0].items():
            new_name = names.get(name, name)
            new = self._schemes[1].get(new_name)
            if (
                new is not None
                and not self.required.isdisjoint({name, new_name})
                and not same_value(old.value, new.value)
            ):
                self._context.locate(Location(name=f"security scheme {name}"))
                self._scheme(name, old, new)
        self._context.locate(None)

    def _scheme(self, name: str, old: Part, new: Part) -> None:
        whole = Location(name=f"security scheme {name}")
        report_texts(self._context.findings, old, new, whole, fields=_TEXTS - {"deprecated"})
        for keyword in ("type", "name", "in", "scheme", "openIdConnectUrl"):
            before, after = (_comparable(part.value.get(keyword), keyword, part) for part in (old, new))
            if before != after:
                self._changed("security-scheme-changed", old.optional(keyword), new.optional(keyword), name, keyword)
        before, after = old.optional("flows"), new.optional("flows")
        if before is not None and after is not None:
            report_texts(self._context.findings, before, after, whole, fields=frozenset())
            for flow in dict.fromkeys([*as_object(before.value), *as_object(after.value)]):
                if not flow.startswith("x-"):
                    self._flow(name, flow, before.optional(flow), after.optional(flow))

    def _flow(self, name: str, flow: str, before: Part | None, after: Part | None) -> None:
        if before is None or after is None:
            self._changed(f"oauth-flow-{'added' if before is None else 'removed'}", before, after, name, f"`{flow}`")
            return
        whole = Location(name=f"security scheme {name}")
        report_texts(self._context.findings, before, after, whole, fields=frozenset())
        for keyword in _FLOW_URLS:
            was, now = before.optional(keyword), after.optional(keyword)
            if (was and was.value) != (now and now.value):
                self._changed("oauth-url-changed", was, now, name, keyword)
        had, has = before.optional("scopes"), after.optional("scopes")
        old = {} if had is None else {scope: had.member(scope) for scope in as_object(had.value)}
        new = {} if has is None else {scope: has.member(scope) for scope in as_object(has.value)}
        for scope in dict.fromkeys([*old, *new]):
            if scope not in old:
                self._changed("oauth-scope-added", None, Part(new[scope].pointer, scope), name, f"`{scope}`")
            elif scope not in new:
                self._changed("oauth-scope-removed", Part(old[scope].pointer, scope), None, name, f"`{scope}`")
            elif old[scope].value != new[scope].value:
                location = Location(name=f"security scheme {name}")
                self._context.findings.at("text-changed", old[scope], new[scope], location, name=f"scope {scope}")

    def _changed(self, rule: str, old: Part | None, new: Part | None, name: str, subject: str) -> None:
        pointer = f"{_SCHEMES}{escape(name)}"
        for location, direction in self._used.get(name, ()):
            self._context.findings.at(rule, old, new, location, direction, name=subject, parents=(pointer, pointer))


def _schemes(reader: Reader) -> dict[str, Part]:
    components = reader.root("components")
    if components is None or not reader.is_object(components):
        return {}
    found = ((name, reader.follow(part)) for name, part in reader.members(components.optional("securitySchemes")))
    return {name: part for name, part in found if part is not None}


def _origin(reader: Reader, operation: Operation) -> Part | None:
    """Return what says how the calls of an operation are authenticated."""
    own = operation.definition.optional("security")
    return own if own is not None or operation.webhook else reader.root("security")


def _content(scheme: Part) -> bytes:
    return encoded({name: value for name, value in scheme.value.items() if name not in _TEXTS})


def _alternatives(reader: Reader, part: Part | None, names: dict[str, str]) -> list[Alternative]:
    return [
        {
            names.get(name, name): frozenset(str(scope.value) for scope in reader.items(scopes))
            for name, scopes in reader.members(item)
        }
        for item in reader.items(part)
        if reader.is_object(item)
    ]


def _accepts(alternative: Alternative, credentials: Alternative) -> bool:
    """Return whether credentials for one alternative are enough for another."""
    return all(name in credentials and scopes <= credentials[name] for name, scopes in alternative.items())


def _name(alternative: Alternative) -> str:
    names = (f"{name} ({', '.join(sorted(scopes))})" if scopes else name for name, scopes in alternative.items())
    return " and ".join(f"`{name}`" for name in names)


def _text(alternatives: list[Alternative]) -> str:
    return " or ".join(map(_name, alternatives))


def _comparable(value: Any, keyword: str, scheme: Part) -> Any:
    # The names of HTTP's schemes and headers have no case.
    lower = keyword == "scheme" or (keyword == "name" and scheme.value.get("in") == "header")
    return value.lower() if lower and isinstance(value, str) else value

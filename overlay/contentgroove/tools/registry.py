"""The registry of tools: finds, checks and calls them, independently of a protocol."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from msgspec import Struct

from contentgroove._core.secret import Secret, conceal
from contentgroove._openapi.documents import Json
from contentgroove.errors import InvalidInputError

from .argument_checks import check_arguments, compile_schema
from .names import public_name
from .results import Success, ToolError, failure, redact, success

if TYPE_CHECKING:
    from collections.abc import Iterable

    import jsonschema_rs


ProgressCallback: TypeAlias = Callable[[float, float | None, str], Awaitable[None]]
"""Called with the amount that is done, the total or None if it is unknown, and a message."""

ToolFunction: TypeAlias = Callable[[Json, ProgressCallback], Awaitable[Success]]
"""Performs a tool's call; its arguments are already checked."""

MIN_SECRET = 8
"""Characters; redacting anything shorter would damage results, and every key is longer."""


class Tool(Struct, frozen=True, kw_only=True):
    """One tool.

    Attributes:
        name: The canonical name.
        title: A short line about its effect.
        description: What a model must know to call it.
        input_schema: The JSON Schema of its arguments.
        run: Performs a call.
        operation_id: The document's own name for it, which calls may also use; empty without one.
        is_read_only: Whether it changes nothing.
        is_destructive: Whether it changes or deletes what exists.
        is_idempotent: Whether a second, equal call has no further effect.
        source: The id of the added source that it belongs to; None if it is built in.
        is_listed: Whether lists of tools contain it. It can be called in any case.
    """

    name: str
    title: str
    description: str
    input_schema: dict[str, Any]
    run: ToolFunction
    operation_id: str = ""
    is_read_only: bool = False
    is_destructive: bool = False
    is_idempotent: bool = False
    source: str | None = None
    is_listed: bool = True


def object_schema(properties: Json, *required: str) -> Json:
    """Return the schema of an object with these properties, all of which are required by default."""
    names = [*(required or properties)]
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


class Access(Struct, frozen=True):
    """What callers may do.

    Attributes:
        read_only: Only tools that change nothing exist.
        allow_destructive: Tools that change or delete what exists may be called.
        only: Names of the tools that exist, None for all; those of added sources always exist.
    """

    read_only: bool = False
    allow_destructive: bool = False
    only: frozenset[str] | None = None


async def no_progress(_done: float, _total: float | None, _message: str) -> None:
    """Ignore progress."""


class ToolRegistry:
    """Finds, checks and calls tools.

    Args:
        tools: The built-in tools.
        access: What callers may do.
        dotted: Whether public names keep their dots, which several hosts reject.
        secret: Returns the API key, which is redacted in every result; None if there is none.

    Raises:
        InvalidInputError: `access` names a tool that does not exist, or is read-only and allows destructive tools.
    """

    def __init__(
        self,
        tools: Iterable[Tool],
        *,
        access: Access | None = None,
        dotted: bool = False,
        secret: Callable[[], str | Secret | None] = lambda: None,
    ) -> None:
        self._access = access or Access()
        self._dotted = dotted
        self._secret = secret
        self._secrets: dict[Secret, None] = {}
        self._tools: dict[str, Tool] = {}
        self._names: dict[str, Tool] = {}
        self._validators: dict[str, jsonschema_rs.Validator] = {}
        self.add(tools)
        if self._access.read_only and self._access.allow_destructive:
            raise InvalidInputError("Read-only access does not include destructive tools: choose one of the two.")
        self._only: set[str] | None = None
        if self._access.only is not None:
            self._only = {self._known(name).name for name in sorted(self._access.only)}

    @property
    def access(self) -> Access:
        """What callers may do."""
        return self._access

    @property
    def reserved(self) -> frozenset[str]:
        """Names that added sources cannot have: the first parts of built-in names."""
        return frozenset(tool.name.partition(".")[0] for tool in self._tools.values() if tool.source is None)

    def public_name(self, tool: Tool) -> str:
        """Return the name that hosts receive for a tool."""
        return public_name(tool.name, dotted=self._dotted)

    def list_tools(self) -> list[Tool]:
        """Return the tools that callers may see, in a stable order."""
        return [tool for tool in self._tools.values() if tool.is_listed and self._is_visible(tool)]

    def find(self, name: str) -> Tool | None:
        """Return the tool with this canonical name, public name or operation id; None if there is none."""
        tool = self._names.get(name)
        return tool if tool is not None and self._is_visible(tool) else None

    def add(self, tools: Iterable[Tool], secrets: Iterable[Secret] = ()) -> None:
        """Add tools, all or none.

        Args:
            tools: The tools.
            secrets: Credentials that their calls contain, which are redacted in every result.

        Raises:
            ToolError: Two tools would have the same name.
        """
        added = list(tools)
        names: dict[str, Tool] = {}
        for tool in added:
            for name in {tool.name, *(public_name(tool.name, dotted=dotted) for dotted in (True, False))}:
                if name in self._names or name in names:
                    raise ToolError("source_exists", f"A tool called {name!r} already exists. Nothing was added.")
                names[name] = tool
        for tool in added:
            if tool.operation_id:
                names.setdefault(tool.operation_id, tool)
        self._names = {**names, **self._names}
        self._tools.update((tool.name, tool) for tool in added)
        self._secrets.update(dict.fromkeys(secrets))

    async def call(self, name: str, arguments: Any = None, report: ProgressCallback = no_progress) -> Json:
        """Call a tool and return the outcome; errors are returned, not raised.

        Args:
            name: Any of the tool's names.
            arguments: An object that matches its input schema.
            report: Called with the progress of tools that take long.

        Returns:
            `{"ok": True, "data": …, "http": …}` or `{"ok": False, "error": {"code": …, "message": …, …}}`.
        """
        try:
            envelope = success(await self._run(name, {} if arguments is None else arguments, report))
        except Exception as error:  # noqa: BLE001 - a tool's caller is a model, which can only read results
            envelope = failure(error)
        own = conceal(self._secret())
        secrets = [*self._secrets]
        if own is not None and len(own.reveal()) >= MIN_SECRET:
            secrets.append(own)
        return cast("Json", redact(envelope, secrets)) if secrets else envelope

    async def _run(self, name: str, arguments: Any, report: ProgressCallback) -> Success:
        tool = self.find(name)
        if tool is None:
            raise ToolError("unknown_tool", self.unknown(name))
        return await self.run(tool, arguments, report)

    async def run(self, tool: Tool, arguments: Any, report: ProgressCallback) -> Success:
        """Check the arguments of a tool that is allowed, and run it.

        Raises:
            ToolError: It is not allowed, or the arguments do not match its input schema.
            Exception: Whatever the tool raises.
        """
        name = self.public_name(tool)
        if tool.is_destructive and not self._access.allow_destructive:
            raise ToolError(
                "not_allowed",
                f"{name} was not called because it changes or deletes data. Start the server with --allow-destructive "
                "to allow it.",
            )
        if tool.name not in self._validators:
            self._validators[tool.name] = compile_schema(tool.input_schema, tool.name)
        check_arguments(self._validators[tool.name], arguments, name)
        return await tool.run(arguments, report)

    def unknown(self, name: str) -> str:
        """Return the message for an unknown name, with similar names."""
        names = [name for tool in self.list_tools() for name in (self.public_name(tool), tool.operation_id)]
        hint = _did_you_mean(name, names) or " List the tools to see all names."
        return f"There is no tool {name[:100]!r}.{hint}"

    def _is_visible(self, tool: Tool) -> bool:
        if self._access.read_only and not tool.is_read_only:
            return False
        return self._only is None or tool.source is not None or tool.name in self._only

    def _known(self, name: str) -> Tool:
        tool = self._names.get(name)
        if tool is None:
            known = sorted(self.public_name(each) for each in self._tools.values())
            hint = _did_you_mean(name, known)
            raise InvalidInputError(f"There is no tool {name!r}.{hint} The tools are {', '.join(known)}.")
        return tool


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name[:100], list(names), n=3)
    return f" Did you mean {' or '.join(close)}?" if close else ""

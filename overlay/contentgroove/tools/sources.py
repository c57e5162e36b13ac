"""Other APIs: previews of their OpenAPI documents, and tools for their operations.

Their calls use the client of `network`. The key of this API is not known here.
"""

from __future__ import annotations

import re
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio.to_thread
from msgspec import Struct, structs

from contentgroove._io.hooks import install_log_filters
from contentgroove.errors import RETRYABLE_STATUSES

from . import network
from .argument_checks import check_arguments, compile_schema
from .compilation import LeftOut
from .credentials import SourceCredentials
from .names import MAX_NAMESPACE, to_slug
from .network import origin_of
from .operation_search import search_tools
from .operation_tools import operation_tool
from .registry import ProgressCallback, Tool, ToolRegistry, object_schema
from .results import SpecError, Success, ToolError, error_code
from .selection import SELECTION_SCHEMA, Selection
from .source_calls import Source, caller, first_allowed, main_server
from .source_documents import FILE_LIMITS, compile_source, describe_document, describe_left_out, usable_servers

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove._openapi.documents import Json

    from .network import NetworkPolicy
    from .operations import Operation
    from .source_documents import Document

MAX_SOURCES = 20

MAX_TOOLS = 100
"""Tools of one source that are listed by default; a source with more gets a search for them."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_NAMESPACE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{MAX_NAMESPACE - 1}}}")

_SPEC = {
    "type": "string",
    "minLength": 1,
    "description": "An https URL of an OpenAPI 3.x document, or the document's JSON or YAML text.",
}
_ADD = {
    "spec": _SPEC,
    "namespace": {
        "type": "string",
        "pattern": f"^{_NAMESPACE.pattern}$",
        "description": "The first part of the tools' names; made from the title by default.",
    },
    "baseUrl": {
        "type": "string",
        "description": "The URL that calls start with, instead of the first usable server of the document.",
    },
    "headers": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Sent with every call, such as {'Authorization': 'Bearer …'}.",
    },
    "credentials": {
        "type": "object",
        "additionalProperties": {"type": "string", "minLength": 1},
        "description": (
            "Keys, tokens or <user>:<password> by the name of the document's security scheme; sent where the document "
            "says, in a header, the query or a cookie, with the operations that need them."
        ),
    },
    **SELECTION_SCHEMA,
}


class Added(Struct, frozen=True):
    """What was added.

    Attributes:
        source: The source.
        operations: Its operations that are tools.
        left_out: Its operations that are not.
    """

    source: Source
    operations: list[Operation]
    left_out: list[LeftOut]


class SpecSources:
    """Previews documents, and adds them as sources.

    Args:
        policy: Which addresses documents may be fetched from and sources called at.
        upload_root: The folder with the files that calls may send; None if they may send none.
        max_tools: Tools of one source that are listed; a source with more gets a search for them.
    """

    def __init__(self, policy: NetworkPolicy, upload_root: Path | None = None, max_tools: int = MAX_TOOLS) -> None:
        self._policy = policy
        self._upload_root = upload_root
        self._max_tools = max_tools
        self._added: set[str] = set()
        self._registry: ToolRegistry | None = None

    def attach_registry(self, registry: ToolRegistry) -> None:
        """Set the registry that tools are added to."""
        self._registry = registry

    def tools(self) -> list[Tool]:
        """Return the two tools that work on documents."""
        return [
            Tool(
                name="openapi.previewSpec",
                title="Preview an OpenAPI document before adding it as a source",
                description=(
                    "Read an OpenAPI 3.x document and return its title, version, servers, operations, tags and kinds "
                    "of authentication, and the operations that cannot be tools, with the reasons. Nothing is added. "
                    "openapi_addSource accepts the same document."
                ),
                input_schema=object_schema({"spec": _SPEC, **SELECTION_SCHEMA}, "spec"),
                run=self._preview,
                is_read_only=True,
                is_idempotent=True,
            ),
            Tool(
                name="openapi.addSource",
                title="Add an OpenAPI source and register its operations as tools",
                description=(
                    "Add a tool for every operation of an OpenAPI 3.x document, named <namespace>.<group>.<leaf>, or "
                    "for those with chosen tags, paths, methods or ids. The tools can be called at once, until this "
                    f"server ends. If there are more than {self._max_tools}, <namespace>.searchOperations finds them "
                    "and <namespace>.callOperation calls them. Calls go to the document's servers, or to baseUrl "
                    "instead of them, by https to public addresses; plain http to this machine is possible if baseUrl "
                    "is such a URL. Check the document with openapi_previewSpec first, and add only documents that "
                    "you trust."
                ),
                input_schema=object_schema(_ADD, "spec"),
                run=self._add,
            ),
        ]

    async def add(self, arguments: Json, file: Path | None = None) -> Json:
        """Add a source for the user of a program, not for a model: a file may be anywhere.

        Args:
            arguments: Those of the tool `openapi.addSource`.
            file: The file with the document; it may be much larger than one that is fetched. None if `spec` in the
                arguments has it.

        Returns:
            The result of `openapi.addSource`.

        Raises:
            DocumentError: The document cannot be read.
            ToolError: The arguments are wrong, or the document or the source was rejected.
            OSError: The file cannot be read.
        """
        check_arguments(compile_schema(object_schema(_ADD, "spec"), "it"), {"spec": "-", **arguments}, "The source")
        return await self._add_checked(arguments, file)

    async def _add_checked(self, arguments: Json, file: Path | None = None) -> Json:
        if file is None:
            document = await self._read(arguments["spec"], Selection.of(arguments))
        else:
            content = await anyio.to_thread.run_sync(file.read_bytes)
            compiling = partial(compile_source, content, str(file), None, Selection.of(arguments), FILE_LIMITS)
            document = await anyio.to_thread.run_sync(compiling)
        return self._register(document, arguments)

    async def _preview(self, arguments: Json, _report: ProgressCallback) -> Success:
        return Success(describe_document(await self._read(arguments["spec"], Selection.of(arguments))))

    async def _add(self, arguments: Json, _report: ProgressCallback) -> Success:
        return Success(await self._add_checked(arguments))

    async def _read(self, spec: str, selection: Selection) -> Document:
        content: bytes | str = spec
        url, source = None, "The text"
        if _URL.fullmatch(spec.strip()):
            url = spec.strip()
            policy = structs.replace(self._policy, max_bytes=self._policy.max_document_bytes)
            response = await network.fetch(url, policy)
            source = network.printable_url(url)
            if response.status != HTTPStatus.OK:
                raise ToolError(
                    error_code(response.status),
                    f"{source} returned status {response.status}, not a document.",
                    status=response.status,
                    retryable=response.status in RETRYABLE_STATUSES,
                )
            content = response.content
        return await anyio.to_thread.run_sync(compile_source, content, source, url, selection)

    def _register(self, document: Document, arguments: Json) -> Json:
        if self._registry is None:
            raise RuntimeError("attach_registry() was not called")
        added = self._with_servers(document, self._source(document, arguments))
        source = added.source
        is_listed = len(added.operations) <= self._max_tools
        tools = [
            operation_tool(
                _without_provided(operation, source),
                caller(operation, source),
                namespace=source.name,
                about=f" of {source.server_of(operation)}",
                is_listed=is_listed,
            )
            for operation in added.operations
        ]
        further = [] if is_listed else search_tools(source.name, document.title, tools, self._registry)
        self._registry.add([*further, *tools], source.credentials.sent_keys())
        self._added.add(source.name)
        result: Json = {"sourceId": source.name, "toolCount": len(tools)}
        if further:
            result["search"] = [tool.name for tool in further]
        servers = [*dict.fromkeys(source.server_of(operation) for operation in added.operations)]
        if any(server != source.base_url for server in servers):
            result["servers"] = servers
        return result | describe_left_out(added.left_out)

    def _source(self, document: Document, arguments: Json) -> Source:
        name = self._free_name(document.title, arguments.get("namespace"))
        credentials = SourceCredentials(
            arguments.get("headers") or {}, arguments.get("credentials") or {}, document.content
        )
        install_log_filters(credentials)
        requested: str | None = arguments.get("baseUrl")
        policy = self._policy
        base_url = requested
        if requested is not None:
            origin = origin_of(requested)
            if origin.is_loopback:
                # The caller may name this machine; a document may not.
                policy = structs.replace(policy, allowed=policy.allowed | {origin})
            if urlsplit(requested).query or urlsplit(requested).fragment:
                raise ToolError("invalid_input", "baseUrl must not have a query or a fragment.")
            base_url = first_allowed([requested.rstrip("/")], policy)
        elif servers := usable_servers(document.servers):
            base_url = first_allowed(servers, policy)
        elif not any(operation.servers for operation in document.operations):
            raise ToolError("invalid_input", "The document has no server that calls can be sent to: pass baseUrl.")
        return Source(
            name,
            base_url,
            requested is not None,
            main_server(document),
            document.url,
            credentials,
            policy,
            self._upload_root,
        )

    def _free_name(self, title: str, requested: str | None) -> str:
        name = requested or to_slug(title)
        if not name:
            raise ToolError("invalid_input", f"Cannot make a name from the title {title!r}: pass namespace.")
        if self._registry is not None and name in self._registry.reserved:
            raise ToolError("source_exists", f"{name!r} belongs to built-in tools: pass another namespace.")
        if name in self._added:
            raise ToolError("source_exists", f"A source {name!r} already exists: pass another namespace.")
        if len(self._added) >= MAX_SOURCES:
            raise ToolError("not_allowed", f"No more than {MAX_SOURCES} sources can be added.")
        return name

    def _with_servers(self, document: Document, source: Source) -> Added:
        """Leave out the operations whose servers cannot be called.

        Raises:
            SpecError: Nothing is left.
        """
        operations: list[Operation] = []
        left_out = [*document.left_out]
        for operation in document.operations:
            try:
                source.server_of(operation)
            except ToolError as error:
                left_out.append(LeftOut(operation.method, operation.path, error.message))
            else:
                operations.append(operation)
        if left_out and not operations:
            first = left_out[0]
            raise SpecError(f"No operation of the document can be a tool. {first.method} {first.path}: {first.reason}")
        return Added(source, operations, left_out)


def _without_provided(operation: Operation, source: Source) -> Operation:
    """Let the caller omit parameters that the source's credentials have."""
    provided = {
        (credential.location, credential.name.lower()) for credential in source.credentials_for(operation).values
    }
    optional = {
        parameter.argument
        for parameter in operation.parameters
        if (parameter.location, parameter.name.lower()) in provided
    }
    if not optional:
        return operation
    required = [name for name in operation.input_schema["required"] if name not in optional]
    return structs.replace(operation, input_schema={**operation.input_schema, "required": required})

"""Which of a document's servers calls go to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

_VARIABLE = re.compile(r"\{([^{}]*)\}")

# Documents name logos, pages and files among their servers.
_NO_SERVER = re.compile(r"\.(?:svg|png|jpe?g|gif|ico|html?|json|ya?ml|pdf)/?$", re.IGNORECASE)


def server_urls(document: Json, document_url: str | None) -> list[str]:
    """Give the servers' URLs, variables replaced by their defaults.

    Args:
        document: The OpenAPI document.
        document_url: Where it was fetched, which relative URLs are relative to.
    """
    servers = document.get("servers")
    found: list[str] = []
    for server in cast("list[Any]", servers) if isinstance(servers, list) else []:
        url = cast("Json", server).get("url") if isinstance(server, dict) else None
        if isinstance(url, str):
            filled = _with_defaults(url.strip(), cast("Json", server).get("variables"))
            found.append(urljoin(document_url, filled) if document_url else filled)
    if not found and document_url:
        # OpenAPI: without servers there is one, "/".
        found.append(urljoin(document_url, "/"))
    return found


def usable_server(urls: list[str]) -> str | None:
    """Give the first that requests can be sent to, without a slash at its end; None if there is none."""
    for url in urls:
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        is_complete = parts.scheme in {"http", "https"} and parts.hostname and not _VARIABLE.search(url)
        if is_complete and not (parts.query or parts.fragment or _NO_SERVER.search(parts.path)):
            return url.rstrip("/")
    return None


def base_path(urls: list[str]) -> str:
    """Give the path of the first usable server; empty without one."""
    usable = usable_server(urls)
    return urlsplit(usable).path if usable else ""


def _with_defaults(url: str, variables: Any) -> str:
    described: Json = cast("Json", variables) if isinstance(variables, dict) else {}

    def default(found: re.Match[str]) -> str:
        variable = described.get(found[1])
        value = cast("Json", variable).get("default") if isinstance(variable, dict) else None
        return str(value) if isinstance(value, str | int | float) else found[0]

    return _VARIABLE.sub(default, url)

"""The tables of `docs/mock.md`: the options of `contentgroove mock`, and the routes of its control interface.

`python -m toolchain.mock_page` writes them. They are made from the code; a test compares both and tries
each example.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from contentgroove_mock import Simulator, command
from contentgroove_mock.simulator.web.control import list_routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_mock.simulator.web.control import ControlRoute

PAGE = Path(__file__).parents[1] / "docs" / "mock.md"
_TABLE = re.compile(r"(<!-- (options|routes) -->\n).*?(<!-- end -->)", re.DOTALL)

EXAMPLES = {
    "POST /advance": '{"seconds": 60}',
    "POST /data": '{"medias": [{"id": "second", "account": "demo"}]}',
    "PUT /data": '{"accounts": [{"key": "a-key", "name": "demo"}], "medias": [{"id": "film"}]}',
    "POST /reset": '{"keep_settings": true}',
    "PUT /snapshot": "what `GET /snapshot` returned",
    "POST /faults": '{"kind": "status", "operation": "getMedias", "status": 503, "count": 2}',
    "PUT /latency": '{"seconds": 0.2}',
    "POST /webhooks/drop_next": '{"count": 2}',
    "POST /webhooks/double_next": '{"count": 1}',
    "POST /webhooks/reorder_next": '{"count": 3}',
    "POST /webhooks/resume": '{"order": "reversed"}',
    "PATCH /accounts/{id}": '{"name": "demo", "key_accepted": false}',
    "PUT /api_keys": '{"keys": ["a-key", "another-key"]}',
    "POST /api_keys": '{"key": "a-key", "name": "demo"}',
    "POST /api_keys/remove": '{"key": "a-key"}',
    "PUT /quota": '{"medias": 10, "clips": null, "account": "demo"}',
    "PUT /rate_limit": '{"requests": 5, "window_seconds": 60}',
    "DELETE /counters": '{"account": "demo"}',
    "PUT /policy": '{"processing_seconds": 0.5, "page_size": 10}',
    "PATCH /policy": '{"processing_seconds": null}',
}
"""A body for each route that takes one."""


def with_tables(text: str) -> str:
    """Return the page with its tables."""
    tables = {"options": _options, "routes": _routes}
    return _TABLE.sub(lambda found: "\n".join([found[1], *tables[found[2]](), "", found[3]]), text)


def key_of(route: ControlRoute) -> str:
    """Return the method and path of a route."""
    return f"{route.method} {route.path}"


def _options() -> Iterator[str]:
    app = typer.Typer()
    app.command()(command.mock)
    yield "| option | what it does | default |"
    yield "|---|---|---|"
    for parameter in typer.main.get_command(app).params:
        names = ", ".join(f"`{name}`" for name in parameter.opts)
        metavar = f" {parameter.metavar}" if parameter.metavar else ""
        is_off = parameter.default is None or parameter.default is False
        default = "" if is_off else f"{parameter.default}".removesuffix(".0")
        if parameter.opts[0] not in {"--install-completion", "--show-completion", "--help"}:
            yield f"| {names}{metavar} | {getattr(parameter, 'help', '')} | {default} |"


def _routes() -> Iterator[str]:
    yield "| route | in Python | body, as an example | what it does |"
    yield "|---|---|---|---|"
    for route in list_routes(Simulator):
        example = EXAMPLES.get(key_of(route), "")
        body = example if not example.startswith("{") else f"`{example}`"
        yield f"| `{key_of(route)}` | `{_python(route)}` | {body} | {_summary(route)} |"


def _python(route: ControlRoute) -> str:
    if route.is_property:
        setter = route.whole or next(iter(inspect.signature(route.function).parameters.keys() - {"self"}), None)
        return f"simulator.{route.name}" + (f" = {setter}" if setter else "")
    parameters: list[str] = []
    for parameter in list(inspect.signature(route.function).parameters.values())[1:]:
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        parameters.append(f"{stars}{parameter.name}{default}")
    return f"simulator.{route.name}({', '.join(parameters)})"


def _summary(route: ControlRoute) -> str:
    return route.summary.replace("|", "\\|")


def main() -> None:
    """Write the tables."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The pages of `docs/reference/`: `python -m toolchain.reference` writes them, and a test compares them with the code.

Pages about Python name every public name, and the site shows its docstring there. The page about the command line is
made from the commands themselves, that about the corrections from `spec/corrections.overlay.yaml`.
"""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from contentgroove.cli.app import app
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
_WRITTEN = "<!-- Written by `python -m toolchain.reference`. -->\n\n"

# Each page about Python: its title, what it is about, and the modules whose public names it shows, or the names.
_PAGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "client": (
        "The sync client",
        "Every resource is an attribute of it: `medias`, `clips`, `webhook_subscriptions`, `direct_uploads`.",
        (
            "contentgroove.ContentGroove",
            *(f"contentgroove.types.{name}" for name in ("Medias", "Clips", "WebhookSubscriptions", "DirectUploads")),
            *(f"contentgroove.types.{name}" for name in ("Pager", "RawMedias", "RawClips", "RawWebhookSubscriptions")),
            "contentgroove.types.RawDirectUploads",
        ),
    ),
    "async-client": (
        "The async client",
        "The names are those of the sync client. Calls are awaited, lists are iterated with `async for`.",
        (
            "contentgroove.AsyncContentGroove",
            *(f"contentgroove.types.Async{name}" for name in ("Medias", "Clips", "WebhookSubscriptions")),
            "contentgroove.types.AsyncDirectUploads",
            *(f"contentgroove.types.{name}" for name in ("AsyncPager", "AsyncRawMedias", "AsyncRawClips")),
            *(f"contentgroove.types.{name}" for name in ("AsyncRawWebhookSubscriptions", "AsyncRawDirectUploads")),
        ),
    ),
    "models": (
        "Models",
        "What calls return, and what webhooks carry. [Models](../models.md) shows their use.",
        tuple(
            f"contentgroove.{name}"
            for name in ("Media", "Clip", "Transcription", "WebhookSubscription", "DirectUpload", "Page")
        ),
    ),
    "errors": (
        "Errors",
        "All are subclasses of `ContentGrooveError`. [Errors](../errors.md) shows when each is raised.",
        ("contentgroove.errors",),
    ),
    "types": ("Types", "The types of public signatures, for your own annotations.", ("contentgroove.types",)),
    "webhooks": (
        "Webhooks",
        "[Webhooks](../webhooks.md) shows their use, and [deployments](../deployments.md) the servers.",
        ("contentgroove.webhooks",),
    ),
    "captions": (
        "Captions, progress and checkpoints",
        "Needs the extras `captions`; `cli` for `progress_bar`; `postgres` for `PostgresCheckpoints`.",
        ("contentgroove.captions", "contentgroove.progress_bar", "contentgroove.checkpoints"),
    ),
    "tools": (
        "Tools for models",
        "The operations of an OpenAPI document as tools, by any protocol; see [tools for models](../mcp.md).",
        ("contentgroove.tools",),
    ),
    "mock": (
        "The mock",
        "Needs the extra `mock`. [Test your application](../testing.md) and [the mock](../mock.md) show its use.",
        (
            "contentgroove_mock",
            "contentgroove_mock.factories",
            "contentgroove_mock.types",
            "contentgroove_mock.recording",
        ),
    ),
    "contract": (
        "Contract checks",
        "Needs the extra `contract`. [The rules](../contract.md) are listed on a page of their own.",
        ("contentgroove_mock.contract",),
    ),
}


_ABOUT_CORRECTIONS = """\
The document that the provider publishes is wrong or incomplete in these points. The first column is the number of the \
defect; several corrections can be about one. The evidence is the document itself: its examples and its prose. It was \
never compared with the service; the last column names the [assumptions](../assumptions.md) that a correction rests on.
"""


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every page."""
    shown: set[str] = set()
    for name, (title, about, parts) in _PAGES.items():
        named = [found for part in parts for found in _public(part) if found not in shown]
        shown |= {found for found in named if found.startswith("contentgroove.types.")}
        directives = "\n\n".join(f"::: {found}" for found in named)
        yield f"{name}.md", f"{_WRITTEN}# {title}\n\n{about}\n\n{directives}\n"
    yield "cli.md", _WRITTEN + _command_page()
    yield "corrections.md", _WRITTEN + _corrections_page(ROOT / "spec" / "corrections.overlay.yaml")


def _public(name: str) -> list[str]:
    """Return the names that a module makes public, each by its own path; a name of no module is returned as it is."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        return [name]
    names: Iterable[str] = getattr(module, "__all__", None) or [
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and getattr(value, "__module__", None) == name and callable(value)
    ]
    return [f"{name}.{key}" for key in sorted(names) if not inspect.ismodule(getattr(module, key))]


def _command_page() -> str:
    sections: list[str] = []

    def visit(command: Any, context: Any) -> None:
        if hasattr(command, "list_commands"):
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                visit(found, found.context_class(found, info_name=name, parent=context))
            return
        # "Usage" of a help page, without the word.
        usage = " ".join(command.collect_usage_pieces(context))
        sections.append(f"## {context.command_path.partition(' ')[2]}\n\n{_help(command)}\n")
        sections.append(f"```text\n{context.command_path} {usage}\n```\n")
        rows = [_option_row(parameter, context) for parameter in command.get_params(context)]
        table = [row for row in rows if row]
        if table:
            sections.append("| argument or option | meaning |\n|---|---|\n" + "\n".join(table) + "\n")

    root: Any = get_command(app)
    visit(root, root.context_class(root, info_name="contentgroove"))
    about = (
        "# Commands\n\nEvery command with its arguments and options. [The command line](../cli.md) explains what they "
        "have in common: the key, what is printed, exit codes, values.\n"
    )
    return "\n".join([about, *sections])


def _help(command: Any) -> str:
    return re.sub(r"\s+", " ", (command.help or "").partition("\f")[0]).strip()


def _option_row(parameter: Any, context: Any) -> str:
    record = parameter.get_help_record(context)
    if record is None:
        if getattr(parameter, "hidden", False):
            return ""
        record = (parameter.make_metavar(context), getattr(parameter, "help", None) or "")
    name, meaning = (re.sub(r"\s+", " ", part).strip().replace("|", "\\|") for part in record)
    return f"| `{name}` | {meaning} |"


def _corrections_page(path: Path) -> str:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    lines = [
        "# Corrections of the published document\n",
        _ABOUT_CORRECTIONS,
        "| defect | what is wrong, the evidence, and the correction | where | assumptions |",
        "|---|---|---|---|",
    ]
    for action in document["actions"]:
        number, _, text = " ".join(action["description"].split()).partition(". ")
        links = ", ".join(f"[{name}](../assumptions.md#{name})" for name in action.get("x-assumes", ()))
        lines.append(f"| {number} | {_cell(text)} | `{_cell(action['target'])}` | {links} |")
    lines += ["", "## Not corrected", "", "| defect | reason |", "|---|---|"]
    for item in document["info"]["x-not-corrected"]:
        lines.append(f"| {item['defect']} | {_cell(' '.join(item['reason'].split()))} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

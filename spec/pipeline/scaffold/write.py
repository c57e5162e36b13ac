"""Write the code of one resource: its corrections, the generated client, new modules, lines in others, recordings.

All texts are made before any file is changed. Then the project's own tools format them, generate the sync client and
record the simulator's responses.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove import AsyncContentGroove, models

from pipeline.corrections import make_contract, read
from pipeline.generate import build
from pipeline.pull import replace_all

from .corrections import as_text, proposed
from .edits import SDK, Edits
from .names import names_of, snake
from .resource import ScaffoldError, read_resource, resource_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document

    from .names import Names
    from .resource import Resource

TIMEOUT = 300.0
"""Seconds for each of the project's tools."""


def scaffold(config: Config, name: str, model: str | None, *, log: Callable[[str], None]) -> bool:
    """Write the code of a resource that the contract has and the SDK lacks.

    Args:
        config: The pipeline's settings.
        name: The resource, as its paths or its attribute of clients name it.
        model: The name of its model, by default from the resource's.
        log: Called with a line about each step.

    Returns:
        False if the SDK has the resource already; then nothing was changed.

    Raises:
        ScaffoldError: There is no such resource, or its code cannot be written. Nothing was changed.
        PipelineError: A correction is stale, or the generator failed. Nothing was changed.
    """
    contract = make_contract(config)
    root = config.published.parent.parent
    segment = _segment(contract, name, root)
    if _has(root, segment):
        log(f"The SDK has {snake(segment)} already: nothing was changed.")
        return False
    names = _free_names(contract, segment, model, log)
    with tempfile.TemporaryDirectory(dir=config.package.parent, prefix=".generate-") as folder:
        corrections = Path(folder, config.corrections.name)
        actions = proposed(contract, names, resource_names(contract)[segment])
        text = config.corrections.read_text(encoding="utf-8") + (as_text(actions, names) if actions else "")
        corrections.write_text(text, encoding="utf-8", newline="\n")
        outputs = build(dataclasses.replace(config, corrections=corrections), Path(folder))
        resource = read_resource(read(Path(folder, "contract.yaml")), names)
        edits = Edits(root, resource, _tools(folder, config, segment))
        taken = [path for path in edits.made if (root / path).exists()]
        if taken:
            raise ScaffoldError(f"{', '.join(taken)} would be overwritten. Move what is there. Nothing was changed.")
        texts = edits.made | {path: module.text for path, module in edits.changed.items()}
        replace_all({corrections: config.corrections, **outputs, **_staged(Path(folder, "texts"), root, texts)})
    _finish(root, texts, log)
    log(_report(resource, edits, len(actions)))
    return True


def _has(root: Path, segment: str) -> bool:
    calls = root / SDK / "_async" / f"{snake(segment)}.py"
    return calls.exists() or hasattr(AsyncContentGroove, snake(segment))


def _segment(contract: Document, name: str, root: Path) -> str:
    found = resource_names(contract)
    for segment in found:
        if name in {segment, snake(segment)}:
            return segment
    lacking = [segment for segment in found if not _has(root, segment)]
    nested = sorted(path for path in contract["paths"] if f"/{name}" in path)
    hint = f" Its paths are nested ({', '.join(nested)}): write it by hand, like a call of clips." if nested else ""
    listed = f"It has {', '.join(lacking)}, which the SDK lacks." if lacking else "The SDK has all of its resources."
    raise ScaffoldError(f"The contract has no resource {name!r} with a path of its own.{hint} {listed}")


def _free_names(contract: Document, segment: str, model: str | None, log: Callable[[str], None]) -> Names:
    """Return the names of a resource, with a model that no other schema is called."""
    names = names_of(segment, model)
    taken = {*models.__all__, *(schema.get("title") for schema in contract["components"]["schemas"].values())}
    if names.model not in taken:
        return names
    if model is not None:
        raise ScaffoldError(f"MODEL={model}: another schema has this name. Choose another one.")
    names = names_of(segment, f"{names.model}Resource")
    log(
        f"Another schema is called {names.model.removesuffix('Resource')}, so the model is {names.model}. MODEL=… "
        "chooses another name; if both are the same, make them one schema in the corrections first."
    )
    return names


def _tools(folder: str, config: Config, segment: str) -> list[str]:
    if config.tools is None:
        return []
    operations = json.loads(Path(folder, config.tools.name).read_bytes())
    return [item["name"].replace(".", "_") for item in operations if item["path"].split("/")[1] == segment]


def _staged(folder: Path, root: Path, texts: dict[str, str]) -> dict[Path, Path]:
    made: dict[Path, Path] = {}
    for number, (path, text) in enumerate(texts.items()):
        file = folder / str(number)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
        made[file] = root / path
    return made


def _finish(root: Path, texts: dict[str, str], log: Callable[[str], None]) -> None:
    modules = [path for path in texts if path.endswith(".py")]
    ruff = ["-m", "ruff"]
    # What is only used in annotations belongs to TYPE_CHECKING; the templates import whatever a resource may need.
    _run(root, [*ruff, "check", "--quiet", "--fix-only", "--unsafe-fixes", "--select", "I,F401,RUF022,TC", *modules])
    _run(root, [*ruff, "format", "--quiet", *modules])
    _run(root, ["overlay/make_sync.py"])
    _run(root, ["-m", "toolchain.mock_page"])
    log("Recording the simulator's responses")
    _run(root, ["-m", "contentgroove_mock.recording", "tests/recorded/exchanges"])


def _run(root: Path, arguments: Sequence[str]) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise ScaffoldError(
            f"The code was written, but `python {' '.join(arguments[:2])}` fails; `git diff` shows the code:\n"
            f"{done.stdout}{done.stderr}".rstrip()
        )


def _report(resource: Resource, edits: Edits, corrections: int) -> str:
    names = resource.names
    lines = [
        f"Wrote {len(edits.made)} new files and lines in {len(edits.changed)} others, with {corrections} corrections.",
        "",
        "Decide what the document does not say; it is marked (assumed) in the code:",
        f"- spec/corrections.overlay.yaml, below `{names.many}`: what is required is what every example has, and the",
        "  descriptions are made from names.",
        f"- mockserver/contentgroove_mock/simulator/core/{names.plural}.py: the values that no request sets.",
    ]
    stored = {field.name for field in resource.attributes} | {item.attribute for item in resource.relationships}
    ignored = [field.name for field in (*resource.created, *resource.updated) if field.name not in stored]
    if ignored:
        lines.append(f"- in the same file: what {', '.join(dict.fromkeys(ignored))} of a request changes.")
    if "create" not in resource.operations:
        lines.append(f"- in the same file: how {names.many} come into being; each account has the example.")
    lines.append(
        f"- seed data and the inspector's page know no {names.many}: core/seeds.py, and inspector/ beside simulator/."
    )
    lines += ["", "Then run `make check` and `make test`, and read `git diff`."]
    return "\n".join(lines)

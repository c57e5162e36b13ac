"""Generate the contract, the client and the operations of the tools, and compare them with the committed files."""

from __future__ import annotations

import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from contentgroove._openapi.operations import base_path, server_urls
from contentgroove.tools.compilation import compile_document
from contentgroove_spec import PipelineError
from contentgroove_spec.documents import dump_yaml

from .corrections import Corrections, read
from .expectations import write_record
from .pull import is_unchanged, replace_all
from .verify import check_contract, check_structure, require_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document

GENERATOR_TIMEOUT = 300.0
"""Seconds; a document of a megabyte takes about one minute."""

LINE_LENGTH = 110
MAX_SHOWN_LINES = 40


def build(
    config: Config,
    folder: Path,
    step: Callable[[str], AbstractContextManager[object]] = nullcontext,
    *,
    accept: bool = False,
) -> dict[Path, Path]:
    """Write all outputs of the pipeline into a folder.

    Args:
        config: The pipeline's configuration.
        folder: The folder.
        step: Called with the name of each step; returns a context in which the step runs.
        accept: Whether the corrections expect from now on what they find in the published document.

    Returns:
        Each output with its path in the repository.

    Raises:
        PipelineError: A document is not valid, corrections no longer fit, or the generator failed.
    """
    with step("correct"):
        published = read(config.published)
        check_structure(published, config.published.name)
        corrections = Corrections.load(config)
        contract = _correct(config, corrections, published, accept=accept)
    with step("verify"):
        require_valid(contract, config.contract.name, complete=config.complete)
    with step("regenerate"):
        made = write_outputs(config, contract, folder)
    if config.expected is not None:
        expected = folder / config.expected.name
        expected.write_text(write_record(corrections.make_record(published)), encoding="utf-8", newline="\n")
        made[expected] = config.expected
    return made


def _correct(config: Config, corrections: Corrections, published: Document, *, accept: bool) -> Document:
    """Correct the document; an error has all problems at once, also those of the contract without these corrections."""
    corrected = corrections.correct(published, accept=accept)
    try:
        corrected.require_fitting()
    except PipelineError as error:
        findings = check_contract(corrected.contract, complete=config.complete)
        if not findings:
            raise
        listed = "\n".join(f"  {finding}" for finding in findings)
        raise PipelineError(f"{error}\nWithout them, the contract violates its own rules:\n{listed}") from error
    return corrected.contract


def write_outputs(config: Config, contract: Document, folder: Path) -> dict[Path, Path]:
    """Write a contract and what is generated from it into a folder.

    Returns:
        Each output with its path in the repository.

    Raises:
        PipelineError: The generator failed, or an operation cannot be a tool.
    """
    contract_yaml, contract_json = folder / "contract.yaml", folder / "contract.json"
    contract_yaml.write_text(dump_yaml(contract), encoding="utf-8", newline="\n")
    text = json.dumps(contract, ensure_ascii=False, allow_nan=False, indent=1)
    contract_json.write_text(text + "\n", encoding="utf-8", newline="\n")
    package = folder / config.package.name
    run_generator(config, contract_json, package)
    made = {contract_yaml: config.contract, contract_json: config.contract_json, package: config.package}
    if config.tools is not None:
        compiled = compile_document(contract, base_path(server_urls(contract)), closed=True)
        for left_out in compiled.left_out:
            name = f"{left_out.method} {left_out.path}".strip()
            raise PipelineError(f"The built-in tool of {name} cannot be made from the contract: {left_out.reason}")
        tools = folder / config.tools.name
        tools.write_bytes(msgspec.json.format(msgspec.json.encode(compiled.operations), indent=1) + b"\n")
        made[tools] = config.tools
    return made


def run_generator(config: Config, document: Path, package: Path, *, strict: bool = True) -> str:
    """Run the generator.

    Args:
        config: The pipeline's configuration.
        document: The document.
        package: The folder of the package, which is created.
        strict: Whether a warning is an error; otherwise only a package that is not generated is.

    Returns:
        The generator's output.

    Raises:
        PipelineError: The generator failed.
    """
    settings = document.with_name("generator.json")
    # Without --isolated, the formatter would use the settings of the repository in which it runs.
    hooks = [
        f"ruff check --isolated --no-cache --quiet --fix-only --select I,F401 --line-length {LINE_LENGTH} .",
        f"ruff format --isolated --no-cache --quiet --line-length {LINE_LENGTH} .",
    ]
    settings.write_text(json.dumps({**config.generator, "post_hooks": hooks}), encoding="utf-8", newline="\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", f"--path={document}", f"--config={settings}"]
    command += [f"--output-path={package}", "--meta=none", *(["--fail-on-warning"] if strict else [])]
    if config.templates is not None:
        command.append(f"--custom-template-path={config.templates}")
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        raise PipelineError("ruff is missing from this environment: run `make setup`.")
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=GENERATOR_TIMEOUT,
            check=False,
            # The formatter of this environment comes first on PATH.
            env={**os.environ, "PATH": f"{Path(ruff).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        )
    except subprocess.TimeoutExpired as error:
        raise PipelineError(f"The generator did not finish within {GENERATOR_TIMEOUT:g} s.") from error
    # A module that the formatter cannot read ends in an error, though all others are complete.
    if done.returncode and (strict or not (package / "api").is_dir() or "Traceback" in done.stderr):
        raise PipelineError(f"The generator failed:\n{done.stdout}{done.stderr}".rstrip())
    for module in package.rglob("*.py"):
        # The generator writes the system's newlines, but the committed files are the same on every system.
        module.write_bytes(module.read_bytes().replace(b"\r\n", b"\n"))
    (package / "py.typed").touch()
    return f"{done.stdout}\n{done.stderr}"


def generate(config: Config, *, accept: bool = False) -> None:
    """Write all outputs again and replace the committed files, all or none.

    Args:
        config: The pipeline's configuration.
        accept: See `build`.

    Raises:
        PipelineError: See `build` and `replace_all`.
    """
    config.package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.package.parent, prefix=".generate-") as name:
        replace_all(build(config, Path(name), accept=accept))


def require_up_to_date(config: Config) -> None:
    """Check that the committed files are the pipeline's outputs.

    Raises:
        PipelineError: They differ; see also `build`.
    """
    found = list(differences(config))
    if found:
        raise PipelineError(
            "\n".join(["The committed files are not the pipeline's outputs: run `make generate`.", *found])
        )


def differences(config: Config) -> Iterator[str]:
    """Yield the differences between the pipeline's outputs and the committed files, one line for each.

    Raises:
        PipelineError: See `build`.
    """
    if not is_unchanged(config):
        yield (
            f"{config.published.name} was edited after it was pulled: undo the edit and put it into "
            f"{config.corrections.name}, or run `make spec`"
        )
    with tempfile.TemporaryDirectory(prefix="check-") as name:
        for output, path in build(config, Path(name)).items():
            if output.is_dir():
                yield from _compare_folders(output, path)
            else:
                yield from _compare(output, path, path.name)


def _compare_folders(made: Path, committed: Path) -> Iterator[str]:
    files = {path.relative_to(root) for root in (made, committed) for path in root.rglob("*") if path.is_file()}
    for path in sorted(files):
        if "__pycache__" not in path.parts:
            yield from _compare(made / path, committed / path, f"{committed.name}/{path.as_posix()}")


def _compare(made: Path, committed: Path, name: str) -> Iterator[str]:
    if not made.exists():
        yield f"{name} is not an output of the pipeline"
    elif not committed.exists():
        yield f"{name} is missing"
    elif made.read_bytes() != committed.read_bytes():
        yield f"{name} differs:"
        old, new = (path.read_text(encoding="utf-8", errors="replace").splitlines() for path in (committed, made))
        changes = list(difflib.unified_diff(old, new, "committed", "made now", lineterm="", n=1))
        yield from changes[:MAX_SHOWN_LINES]
        if len(changes) > MAX_SHOWN_LINES:
            yield f"… and {len(changes) - MAX_SHOWN_LINES} more lines"

"""Take over a newly published document: pull, correct, verify, regenerate, type-check, test.

The committed files are replaced only after all new files were made. Failures of the checks afterwards need a person,
who gets every failure below the work that it requires. The quick checks come first, and their failures are logged at
once.
"""

from __future__ import annotations

import dataclasses
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import DocumentError
from contentgroove_spec import PipelineError
from contentgroove_spec.documents import canonical_digest
from contentgroove_spec.reports.report import count_text

from .checks import Failure, as_text, by_work, run_check
from .corrections import read
from .generate import build
from .guide.tasks import as_text as as_markdown
from .impact import impact
from .pull import is_unchanged, make_arguments, pull, replace_all

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from contentgroove_spec.config import Config

    from .guide.tasks import Task
    from .impact import Impact


class UpdateStoppedError(PipelineError):
    """A step needs a person; the message names the step, the problem and the state of the files."""


def update(
    config: Config,
    *,
    mirror: str | None,
    file: Path | None,
    log: Callable[[str], None],
    report: Callable[[Impact], None],
) -> bool:
    """Take over the document that is published now.

    Args:
        config: The pipeline's settings.
        mirror: A release of the mirror to use instead of the web's document.
        file: A local document to use instead.
        log: Called with a line about each step.
        report: Called with the changes and their impact, before any file is changed.

    Returns:
        True if the document was new.

    Raises:
        UpdateStoppedError: A step needs a person. No file was changed, or all were written and a check fails.
    """
    with _step("check the committed files"):
        if not is_unchanged(config):
            raise PipelineError(
                f"{config.published.name} was edited after it was pulled: put the edit into "
                f"{config.corrections.name}, or run `make spec`."
            )
    config.package.parent.mkdir(parents=True, exist_ok=True)
    # In the folder of the generated package, so that everything can be moved at once.
    with tempfile.TemporaryDirectory(dir=config.package.parent, prefix=".generate-") as name:
        pulled = Path(name, "pulled")
        staged = dataclasses.replace(config, published=pulled / config.published.name, lock=pulled / config.lock.name)
        with _step("pull"):
            pull(staged, mirror=mirror, file=file, log=log)
            old, new = read(config.published), read(staged.published)
            if canonical_digest(old) == canonical_digest(new):
                log("Nothing new: the published document has the same content. Nothing was changed.")
                return False
        with _step("compare"):
            found = impact(config, new, "what is published now", source=make_arguments(mirror, file))
            report(found)
        with _listing(config, found.tasks):
            outputs = build(staged, Path(name), _step)
            with _step("replace the files"):
                replace_all({staged.published: config.published, staged.lock: config.lock, **outputs})
            log("The new document, the contract and the generated client were written.")
            if found.lacking:
                # Whatever counts operations fails until then, and says nothing about the rest.
                raise UpdateStoppedError(
                    f"The SDK lacks {', '.join(found.lacking)}, so the checks were not run. Follow the list: its "
                    "command `make scaffold` writes the code of a resource, and the checks come last."
                )
            _check(config, log)
    return True


@contextmanager
def _listing(config: Config, tasks: tuple[Task, ...]) -> Generator[None]:
    """Write the list of what a person must write, and end with it if the update stops."""
    file = config.cache / "work.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = as_markdown(tasks)
    file.write_text(text, encoding="utf-8", newline="\n")
    try:
        yield
    except UpdateStoppedError as error:
        if not tasks:
            raise
        raise UpdateStoppedError(f"{error}\n\n{text}\nThis list is in {file}.") from error


@contextmanager
def _step(name: str) -> Generator[None]:
    try:
        yield
    except (PipelineError, DocumentError) as error:
        raise UpdateStoppedError(f"Stopped at the step `{name}`; no file was changed.\n{error}") from error


def _check(config: Config, log: Callable[[str], None]) -> None:
    log_file = config.cache / "update.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    log_file.write_bytes(b"")
    failures: list[Failure] = []
    ending = ""
    try:
        for command in config.checks:
            log(f"Running {' '.join(command)}")
            found = run_check(command, config.published.parent.parent, log_file)
            if found and command != config.checks[-1]:
                log(as_text(found, config.works))
                log("The other checks follow; Ctrl-C ends them and keeps the new files.")
            failures += found
    except KeyboardInterrupt:
        ending = " The checks were interrupted, so there may be more."
    if failures or ending:
        works = by_work(failures, config.works)
        raise UpdateStoppedError(
            f"The checks fail.{ending} The required work, in {count_text(len(works), 'kind')}:\n\n"
            f"{as_text(failures, config.works)}\n\n"
            "The new files were written: check `git diff`, write what is missing, and run `make test`.\n"
            f"Full output of the checks: {log_file}"
        )

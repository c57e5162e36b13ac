"""Take over a newly published document: pull, correct, verify, regenerate, type-check, test.

Until everything is made, nothing that is committed is touched. What the checks say afterwards needs a person, who
finds the new files in place, and every failure below what must be written. The quick checks come first, and what they
find is told at once.
"""

from __future__ import annotations

import dataclasses
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import DocumentError
from contentgroove_spec.compare import compare
from contentgroove_spec.documents import canonical_digest
from contentgroove_spec.errors import PipelineError
from contentgroove_spec.reports import count_text

from .checks import Failure, as_text, by_work, run_check
from .correct import make_contract, read
from .generate import write_outputs
from .impact import impact
from .placement import replace_all
from .pull import is_unchanged, pull
from .verify import check_structure, require_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from contentgroove_spec.changes import Comparison
    from contentgroove_spec.config import Config
    from contentgroove_spec.reports import Section

LEFT = "The new files are in place: look at `git diff`, write what is missing, and run `make test`."


class UpdateStoppedError(PipelineError):
    """A step needs a person; the message says which, what is wrong, and how the files are left."""


def update(
    config: Config,
    *,
    mirror: str | None,
    file: Path | None,
    log: Callable[[str], None],
    report: Callable[[Comparison, tuple[Section, ...]], None],
) -> bool:
    """Take over what is published now.

    Args:
        config: The pipeline's settings.
        mirror: A release of the mirror to take instead of the web's document.
        file: A local document to take instead.
        log: Called with a line about each step.
        report: Called with what changed and what it means, before anything is changed.

    Returns:
        Whether there was anything new.

    Raises:
        UpdateStoppedError: A step needs a person. Up to regenerating, the files are as they were; after it, all new
            ones are in place.
    """
    with _step("look at what is committed"):
        if not is_unchanged(config):
            raise PipelineError(
                f"{config.published.name} is not what was pulled: put the edit into {config.corrections.name}, or "
                "run `make spec`."
            )
    config.package.parent.mkdir(parents=True, exist_ok=True)
    # Beside the generated package, so that everything can be moved into place at once.
    with tempfile.TemporaryDirectory(dir=config.package.parent, prefix=".generate-") as name:
        folder = Path(name)
        staged = dataclasses.replace(
            config, published=folder / "pulled" / config.published.name, lock=folder / "pulled" / config.lock.name
        )
        with _step("pull"):
            pull(staged, mirror=mirror, file=file, say=log)
            old, new = read(config.published), read(staged.published)
            if canonical_digest(old) == canonical_digest(new):
                log("Nothing new: what is published says the same. Nothing was changed.")
                return False
        with _step("compare"):
            report(compare(old, new, old_name="committed", new_name="published now"), impact(config, new))
        outputs = _write_files(staged, folder)
        with _step("put in place"):
            replace_all({staged.published: config.published, staged.lock: config.lock, **outputs})
    log("The new document, the contract and the generated client are in place.")
    _check(config, log)
    return True


def _write_files(staged: Config, folder: Path) -> dict[Path, Path]:
    with _step("correct"):
        check_structure(read(staged.published), staged.published.name)
        contract = make_contract(staged)
    with _step("verify"):
        require_valid(contract, staged.contract.name, complete=staged.complete)
    with _step("regenerate"):
        return write_outputs(staged, contract, folder)


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
                log("The other checks follow; Ctrl-C ends them, and leaves the new files in place.")
            failures += found
    except KeyboardInterrupt:
        ending = " The checks were interrupted, so there may be more."
    if failures or ending:
        works = by_work(failures, config.works)
        raise UpdateStoppedError(
            f"The checks fail.{ending} What must be written, in {count_text(len(works), 'kind')}:\n\n"
            f"{as_text(failures, config.works)}\n\n{LEFT}\nAll that the checks said: {log_file}"
        )

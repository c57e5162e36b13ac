"""The pipeline's command line: `python -m spec.pipeline pull|generate|verify|check|diff|update|scaffold`."""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import DocumentError
from contentgroove.cli.output import multi_line, prepare_streams
from contentgroove_spec import PipelineError
from contentgroove_spec.command import FailOn, Format, fails, write
from contentgroove_spec.config import load_config
from contentgroove_spec.fetching import fetch

from .corrections import read
from .generate import generate, require_up_to_date
from .impact import impact
from .pull import pull
from .update import update
from .verify import check_structure, require_valid

if TYPE_CHECKING:
    from contentgroove_spec.config import Config

    from .impact import Impact

DEFAULT_CONFIG = Path(__file__).resolve().parent.parent / "pipeline.toml"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status: 0 for success, 1 if a person must act."""
    prepare_streams()
    options = _parser().parse_args(arguments)
    try:
        return int(_run(load_config(options.config), options))
    except (PipelineError, DocumentError, OSError) as error:
        print(f"error: {multi_line(str(error))}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m spec.pipeline", description=__doc__)
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="the API's pipeline.toml")
    commands = parser.add_subparsers(dest="command", required=True)
    pulling = commands.add_parser("pull", help="fetch the published document")
    generating = commands.add_parser("generate", help="correct, verify and regenerate")
    accepting = "corrections expect from now on what they find in the published document"
    generating.add_argument("--accept", action="store_true", help=accepting)
    commands.add_parser("verify", help="check the published document and the contract")
    commands.add_parser("check", help="fail if the committed files differ from the pipeline's output")
    comparing = commands.add_parser("diff", help="show what a new document changes, and the impact on this package")
    updating = commands.add_parser("update", help="pull, correct, verify, regenerate, type-check and test")
    scaffolding = commands.add_parser("scaffold", help="write the code of a resource that the SDK lacks")
    scaffolding.add_argument("resource", help="its name in paths, such as projects")
    scaffolding.add_argument("--model", metavar="NAME", help="the name of its model, such as Project")
    for parser_ in (pulling, comparing, updating):
        source = parser_.add_mutually_exclusive_group()
        source.add_argument("--mirror", metavar="RELEASE", help="use this release of the npm mirror")
        source.add_argument("--file", type=Path, metavar="PATH", help="use a local document")
    comparing.add_argument("--fail-on", type=FailOn, choices=list(FailOn), default=FailOn.NONE)
    for parser_ in (comparing, updating):
        parser_.add_argument("--format", type=Format, choices=list(Format), default=Format.TEXT)
        parser_.add_argument("--output", type=Path, metavar="PATH", help="write the report into this file")
    return parser


def _run(config: Config, options: argparse.Namespace) -> bool:
    """Run the command, and return whether it ends in status 1."""
    if options.command == "pull":
        pull(config, mirror=options.mirror, file=options.file, log=_print)
    elif options.command == "generate":
        generate(config, accept=options.accept)
        _print(f"Wrote {config.contract.name} and {config.package.name}.")
    elif options.command == "verify":
        check_structure(read(config.published), config.published.name)
        require_valid(read(config.contract), config.contract.name, complete=config.complete)
        _print(f"{config.published.name} and {config.contract.name} are valid.")
    elif options.command == "check":
        require_up_to_date(config)
        _print(f"{config.contract.name} and {config.package.name} are up to date.")
    elif options.command == "diff":
        fetched = fetch(config, mirror=options.mirror, file=options.file, log=_print_note)
        new = fetched.parse_expected(config)
        found = impact(config, new, fetched.source)
        _report(options, found)
        return fails(found.report(), options.fail_on)
    elif options.command == "scaffold":
        # Not imported for other commands: it needs the SDK that an update may have broken.
        from .scaffold.write import scaffold

        scaffold(config, options.resource, options.model, log=_print)
    else:
        update(config, mirror=options.mirror, file=options.file, log=_print, report=functools.partial(_report, options))
    return False


def _report(options: argparse.Namespace, found: Impact) -> None:
    write(found.report(), options.format, options.output)
    if options.output is not None:
        _print_note(f"Wrote {options.output}.")


def _print_note(line: str) -> None:
    print(multi_line(line), file=sys.stderr, flush=True)  # noqa: T201 - a command line prints


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command line prints


if __name__ == "__main__":
    sys.exit(main())

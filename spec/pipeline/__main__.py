"""The pipeline's command line: `python -m spec.pipeline pull|generate|verify|check|diff|update|scaffold`.

With `--folder`, `report`, `mock` and `generate` work on the document of any API, without a configuration.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.folders import find_document
from contentgroove.cli.output import multi_line, prepare_streams
from contentgroove_mock.command import serve_until_stopped
from contentgroove_spec import PipelineError
from contentgroove_spec.command import FailOn, Format, fails, in_format, write
from contentgroove_spec.compare import compare
from contentgroove_spec.config import load_config
from contentgroove_spec.fetching import fetch
from contentgroove_spec.reports.report import Report

# Not relative: as a part of `spec`, each module would be loaded twice, and neither would know the other's enums.
from pipeline.client import generate_client
from pipeline.corrections import read
from pipeline.folders import read_folder
from pipeline.generate import generate, require_up_to_date
from pipeline.impact import impact
from pipeline.pull import make_arguments, pull
from pipeline.report import as_json, as_text, make_report
from pipeline.update import update
from pipeline.verify import check_structure, require_valid

if TYPE_CHECKING:
    from contentgroove_spec.config import Config

    from pipeline.folders import Folder
    from pipeline.impact import Impact

DEFAULT_CONFIG = Path(__file__).resolve().parent.parent / "pipeline.toml"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status: 0 for success, 1 if a person must act."""
    prepare_streams()
    options = _parser().parse_args(arguments)
    try:
        if options.command in {"report", "mock"} or options.folder is not None:
            return int(_run_in_folder(options))
        return int(_run(load_config(options.config), options))
    except (PipelineError, DocumentError, OSError) as error:
        print(f"error: {multi_line(str(error))}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m spec.pipeline", description=__doc__)
    subject = parser.add_mutually_exclusive_group()
    subject.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="the API's pipeline.toml")
    subject.add_argument("--folder", type=Path, metavar="PATH", help="a folder with an API's document, or the document")
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
    reporting = commands.add_parser("report", help="show what a document describes, and its problems")
    reporting.add_argument("--against", type=Path, metavar="PATH", help="also compare it with this older document")
    mocking = commands.add_parser("mock", help="serve a mock of a document, and check each exchange")
    mocking.add_argument("--port", type=int, default=0, help="the port; 0, the default, chooses a free one")
    mocking.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    mocking.add_argument("--dynamic", action="store_true", help="make up another response each time")
    for parser_ in (pulling, comparing, updating):
        source = parser_.add_mutually_exclusive_group()
        source.add_argument("--mirror", metavar="RELEASE", help="use this release of the npm mirror")
        source.add_argument("--file", type=Path, metavar="PATH", help="use a local document")
    comparing.add_argument("--fail-on", type=FailOn, choices=list(FailOn), default=FailOn.NONE)
    for parser_ in (comparing, updating, reporting):
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
        found = impact(config, new, fetched.source, source=make_arguments(options.mirror, options.file))
        _report(options, found)
        return fails(found.report(), options.fail_on)
    elif options.command == "scaffold":
        # Not imported for other commands: it needs the SDK that an update may have broken.
        from pipeline.scaffold.write import scaffold

        scaffold(config, options.resource, options.model, log=_print)
    else:
        update(config, mirror=options.mirror, file=options.file, log=_print, report=functools.partial(_report, options))
    return False


def _run_in_folder(options: argparse.Namespace) -> bool:
    """Run a command on the document of a folder, and return whether it ends in status 1."""
    folder = read_folder(options.folder or options.config.parent)
    config = folder.config
    if options.command == "report":
        _write_report(options, folder)
    elif options.command == "mock":
        for problem in folder.problems:
            _print_note(f"warning: {problem}")
        return bool(
            serve_until_stopped(
                folder.contract, config.published.name, options.port, host=options.host, dynamic=options.dynamic
            )
        )
    elif options.command == "generate":
        client = generate_client(folder, _print_note)
        for problem in (*folder.problems, *client.warnings):
            _print_note(f"warning: {problem}")
        for skipped in client.skipped:
            _print_note(f"skipped: {skipped}")
        _print(f"Wrote {client.package}. Operations: {client.operations}; skipped: {len(client.skipped)}.")
    else:
        raise PipelineError(f"--folder is for report, mock and generate; {options.command} needs --config.")
    return False


def _write_report(options: argparse.Namespace, folder: Folder) -> None:
    style: Format = options.format
    if style not in {Format.TEXT, Format.JSON}:
        raise PipelineError("The report is text or json: pass --format text or --format json.")
    report = make_report(folder)
    text = as_json(report) if style is Format.JSON else multi_line(as_text(report))
    if options.against is not None:
        file, older = find_document(options.against)
        comparison = compare(older, folder.contract, old_name=file.name, new_name=folder.config.published.name)
        changes = in_format(Report(comparison), style)
        if style is Format.JSON:
            text = json.dumps({**json.loads(text), "changes": json.loads(changes)}, ensure_ascii=False, indent=2) + "\n"
        else:
            text = f"{text}\n{changes}"
    if options.output is None:
        _print(text.rstrip("\n"))
    else:
        options.output.write_text(text, encoding="utf-8", newline="\n")
        _print_note(f"Wrote {options.output}.")


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

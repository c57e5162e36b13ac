"""The example application's own tests, run as its developers would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

EXAMPLE = Path(__file__).parents[2] / "examples" / "highlights"


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_example_passes_its_own_tests(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Without Node, and with workers; its report says what of the API the application uses."""
    report = tmp_path / "seen.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    command.append(f"--contentgroove-coverage={report}")
    done = subprocess.run(command, cwd=EXAMPLE, capture_output=True, encoding="utf-8", timeout=100, check=False)  # noqa: S603 - fixed command, no shell
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    seen = json.loads(report.read_text(encoding="utf-8"))
    assert set(seen["operations"]) >= {"getUploadUrl", "createMedia", "createWebhookSubscription"}
    assert seen["operations"]["createMedia"]["request_fields"] == [
        "/data/attributes/name",
        "/data/attributes/upload_id",
    ]
    assert "/payload/included/*/attributes/text" in seen["webhooks"]["media.processing_finished"]["fields"]
    assert seen["violations"] == []

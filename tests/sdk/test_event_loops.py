"""What an async client needs of the event loop that it runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from contentgroove import AsyncContentGroove, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path
    from typing import Any


def test_a_batch_says_that_it_needs_asyncio(tmp_path: Path) -> None:
    """Another async library has no tasks that outlive the one that iterates."""
    results = AsyncContentGroove("key").medias.upload_many([tmp_path / "film.mp4"])
    step = cast("Coroutine[Any, Any, object]", anext(results))
    with pytest.raises(ConfigurationError, match="needs asyncio"):
        # As a loop that is not asyncio's would.
        step.send(None)

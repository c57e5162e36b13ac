"""The documents that are compared."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from contentgroove._openapi.documents import parse

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
PUBLISHED = HERE / "published"

BASE: dict[str, Any] = parse((CORPUS / "base.yaml").read_bytes(), "base.yaml")
GENERATION_2 = PUBLISHED / "1.3.1.json"
GENERATION_3 = PUBLISHED / "1.3.17.json"


@pytest.fixture
def generation_2() -> dict[str, Any]:
    """The second generation of the published document."""
    return parse(GENERATION_2.read_bytes(), GENERATION_2.name)


@pytest.fixture
def generation_3() -> dict[str, Any]:
    """The third one."""
    return parse(GENERATION_3.read_bytes(), GENERATION_3.name)


@pytest.fixture
def films() -> dict[str, Any]:
    """A copy of the corpus's document that may be changed."""
    return copy.deepcopy(BASE)

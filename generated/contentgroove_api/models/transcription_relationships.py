from __future__ import annotations

from typing import Any, TypeAlias

TranscriptionRelationships: TypeAlias = dict[str, Any]
""" Empty in the published example. """

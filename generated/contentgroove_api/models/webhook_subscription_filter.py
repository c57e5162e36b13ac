from __future__ import annotations

from typing import TypeAlias

WebhookSubscriptionFilter: TypeAlias = dict[str, str | float | bool | list[str]]
""" WebhookSubscriptionFilter """

from __future__ import annotations

from msgspec import Struct


class WebhookSubscriptionRelationships(Struct, frozen=True, kw_only=True):
    """WebhookSubscriptionRelationships"""

    user: ToOne
    """ A relationship to one other resource. """
    webhook_events: ToMany
    """ A relationship to several other resources. """


from ..models.to_many import ToMany
from ..models.to_one import ToOne

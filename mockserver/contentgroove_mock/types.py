"""The types of what a `Simulator` takes and returns, for annotations.

Records such as `Media` are those of the simulator, for all accounts; the models that a client returns are in
`contentgroove`.
"""

from contentgroove_mock.simulator.clock import Clock, SettableClock
from contentgroove_mock.simulator.context import RequestRecord
from contentgroove_mock.simulator.core.accounts import AccountInfo, Keys, Limits, Quota, RateLimit
from contentgroove_mock.simulator.core.deliveries import Order
from contentgroove_mock.simulator.core.faults import Kind, WaitingFault
from contentgroove_mock.simulator.core.policies import PolicyChanges
from contentgroove_mock.simulator.core.records import (
    Account,
    Clip,
    Delivery,
    DeliveryAttempt,
    Media,
    Records,
    SourceFile,
    Stage,
    State,
    Subscription,
    Transcription,
    Upload,
    WebhookHold,
)
from contentgroove_mock.simulator.core.seeds import (
    SeedAccount,
    SeedClip,
    SeedData,
    SeedMedia,
    SeedSubscription,
    SeedTranscription,
)
from contentgroove_mock.simulator.core.snapshots import SavedSnapshot, Snapshot
from contentgroove_mock.simulator.core.store_errors import StoreKind
from contentgroove_mock.simulator.core.tables import Table, View
from contentgroove_mock.simulator.seed_files import SeedSource
from contentgroove_mock.simulator.webhook_sender import WebhookSender

__all__ = [
    "Account",
    "AccountInfo",
    "Clip",
    "Clock",
    "Delivery",
    "DeliveryAttempt",
    "Keys",
    "Kind",
    "Limits",
    "Media",
    "Order",
    "PolicyChanges",
    "Quota",
    "RateLimit",
    "Records",
    "RequestRecord",
    "SavedSnapshot",
    "SeedAccount",
    "SeedClip",
    "SeedData",
    "SeedMedia",
    "SeedSource",
    "SeedSubscription",
    "SeedTranscription",
    "SettableClock",
    "Snapshot",
    "SourceFile",
    "Stage",
    "State",
    "StoreKind",
    "Subscription",
    "Table",
    "Transcription",
    "Upload",
    "View",
    "WaitingFault",
    "WebhookHold",
    "WebhookSender",
]

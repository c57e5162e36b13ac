"""What a resource needs in the simulator: its operations, records, quota, controls and factory, and their test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove_mock import Simulator, types
from contentgroove_mock.simulator.core.records import State
from contentgroove_mock.simulator.web.control import list_routes

from .code import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from .code import Templates
    from .insertions import Module
    from .resource import Field, Relationship

CORE = "mockserver/contentgroove_mock/simulator/core"
CONTROL = "mockserver/contentgroove_mock/simulator/control"
RECORDING = "mockserver/contentgroove_mock/recording"
FACTORY_ID = "3c5b1d0e-6a53-4c1b-8f0a-8f7f1d1c2b6a"


class SimulatorEdits:
    """The edits of one resource.

    Attributes:
        made: The texts of new files, by their paths in the repository.
    """

    def __init__(self, templates: Templates, open_module: Callable[[str], Module]) -> None:
        self.made: dict[str, str] = {}
        self._templates, self._open = templates, open_module
        self._resource, self._names = templates.resource, templates.resource.names
        self._service()
        self._factory()
        if templates.has_quota:
            self._quota()

    def _render(self, template: str, **more: Any) -> str:
        return self._templates.render(f"{template}.py.jinja", **more)

    def _service(self) -> None:
        names, resource = self._names, self._resource
        faults = self._open(f"{CORE}/faults.py")
        for path in dict.fromkeys(operation.path for operation in resource.operations.values()):
            methods = ", ".join(
                f'"{operation.method}": "{operation.operation_id}"'
                for operation in resource.operations.values()
                if operation.path == path
            )
            faults.into_literal("API_OPERATIONS", f'"{path}": {{{methods}}}')
        records = self._open(f"{CORE}/records.py")
        record = f"{names.model}Record" if records.has(names.model) or names.model in types.__all__ else names.model
        stored_in = f"{names.plural}_of_api" if names.plural in _simulated_names() else names.plural
        records.before("State", self._render("record", record=record))
        field = f"{stored_in}: Records[{record}] = field(default_factory=Table[{record}])"
        records.into_class("State", field, after="deliveries")
        service = self._open(f"{CORE}/service.py")
        service.import_at_top(f"from contentgroove_mock.simulator.core import {names.plural}")
        service.into_literal("self._operations", f"**{names.plural}.{names.models}(self).operations")
        self.made[f"{CORE}/{names.plural}.py"] = self._render("simulator", record=record, stored_in=stored_in)
        controls = self._open(f"{CONTROL}/resources.py")
        controls.import_for_types(f"from contentgroove_mock.simulator.core.records import {record}")
        listed = self._render("control", record=record, stored_in=stored_in)
        controls.into_class("ResourceControls", listed, after="webhook_subscription")
        public = self._open("mockserver/contentgroove_mock/types.py")
        public.import_at_top(f"from contentgroove_mock.simulator.core.records import {record}")
        public.into_literal("__all__", f'"{record}"')
        test = self._render("test_simulator", stored_in=stored_in)
        self.made[f"tests/simulator/test_{names.plural}.py"] = test

    def _factory(self) -> None:
        names, resource = self._names, self._resource
        factories = self._open("mockserver/contentgroove_mock/factories.py")
        factories.import_at_top(f"from contentgroove.models import {names.model}")
        values = {"id": FACTORY_ID} | {field.name: self._value(field) for field in resource.attributes}
        values |= {item.attribute: _link(item) for item in resource.relationships}
        factories.before("media", f"_{names.singular.upper()}: dict[str, Any] = {values!r}")
        factories.before("page", self._render("factory"))

    def _quota(self) -> None:
        """Limit how many an account can create: the document has a 402 for that."""
        plural, many = self._names.plural, self._names.many
        counter = f"{plural}_made"
        accounts = self._open(f"{CORE}/accounts.py")
        accounts.into_class("Quota", f"{plural}: int | None = None", after="clips")
        accounts.add_line("        clips: How many clips.\n", f"        {plural}: How many {many}.\n")
        accounts.into_class("AccountInfo", f"{counter}: int", after="clips_made")
        line = "        clips_made: How many clips it has created in that month, without suggested ones.\n"
        accounts.add_line(line, f"        {counter}: How many {many} it has created in that month.\n")
        accounts.add_line("        clips_made=account.clips_made,\n", f"        {counter}=account.{counter},\n")
        self._open(f"{CORE}/records.py").into_class("Account", f"{counter}: int = 0", after="clips_made")
        controls = self._open(f"{CONTROL}/accounts.py")
        controls.replace(
            "clips: int | None = None, account", f"clips: int | None = None, {plural}: int | None = None, account"
        )
        line = "            clips: How many clips in addition to the suggested ones; None means without limit.\n"
        controls.add_line(line, f"            {plural}: How many {many}; None means without limit.\n")
        controls.replace("Quota(medias=medias, clips=clips)", f"Quota(medias=medias, clips=clips, {plural}={plural})")
        targets = self._open(f"{RECORDING}/targets.py")
        targets.replace("set_quota(medias=0, clips=0)", f"set_quota(medias=0, clips=0, {plural}=0)")
        for path, number in (("simulator/test_contract", 0), ("contract/test_every_response", 1)):
            quota = f"set_quota(medias={number}, clips={number})"
            self._open(f"tests/{path}.py").replace(quota, f"{quota[:-1]}, {plural}={number})")
        name = self._resource.operations["create"].operation_id
        self._open("tests/recorded/expected.py").into_literal("_COUNTED", f'"{name}": "{plural}"')

    @staticmethod
    def _value(field: Field) -> Any:
        if field.example is not None or field.nullable:
            return field.example
        return sample(field)


def _simulated_names() -> set[str]:
    """Return the names that the simulator's tables, members and routes have already."""
    routes = (route.path.split("/")[1] for route in list_routes(Simulator))
    return {*State.__struct_fields__, *dir(Simulator), *routes}


def _link(item: Relationship) -> Any:
    return [] if item.many else None if item.optional else FACTORY_ID

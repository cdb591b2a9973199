"""The accessor rules against the published list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xenconform.models import rules
from xenconform.models.api import Api, Qualifier
from xenconform.models.load import DATA

API = Api.load()
PUBLISHED = [
    json.loads(line) for line in (Path(__file__).parent / "data/published-implicit.jsonl").read_text().splitlines()
]
"""Each implicit message that is published: class, name, parameters, result, roles by their name, transitions."""
ROLES = {frozenset(who): name for name, who in json.loads((DATA / "roles.json").read_text()).items()}


def test_the_rules_give_exactly_the_published_implicit_messages() -> None:
    """Derived and published messages are the same in name, parameters, types, result, roles and lifecycle."""
    derived = [
        [
            message.cls,
            message.name,
            [[param.name, str(param.type)] for param in message.params],
            str(message.result),
            ROLES[message.roles],
            [list(each) for each in message.lifecycle.transitions],
        ]
        for cls in API.classes.values()
        for message in cls.messages.values()
        if message.implicit
    ]
    assert len(PUBLISHED) == 1350
    assert sorted(derived) == sorted(PUBLISHED)


def test_the_model_has_the_published_counts() -> None:
    """67 classes, 846 fields, 1835 messages, 551 errors and 56 relations are in the model."""
    classes = API.classes.values()
    assert len(classes) == 67
    assert sum(len(each.fields) for each in classes) == 846
    assert sum(len(each.messages) for each in classes) == 1835
    assert len(API.errors) == 551
    assert len(API.relations) == 56


@pytest.mark.parametrize("name", ["event", "sr_stat", "probe_result", "data_source", "vdi_nbd_server_info", "auth"])
def test_a_class_without_objects_has_no_accessors(name: str) -> None:
    """Classes of which no objects exist have no implicit message."""
    assert not [message for message in API.classes[name].messages.values() if message.implicit]


def test_a_read_only_field_has_a_getter_alone() -> None:
    """No implicit accessor writes a field that is not RW."""
    for cls in API.classes.values():
        for message in cls.messages.values():
            if message.implicit and message.field and cls.fields[message.field].qualifier is not Qualifier.RW:
                assert message.verb == "get", message.full_name


@pytest.mark.parametrize(
    ("name", "field", "verb"),
    [
        ("VM.get_tags", "tags", "get"),
        ("VM.set_tags", "tags", "set"),
        ("VM.add_tags", "tags", "add"),
        ("VM.remove_tags", "tags", "remove"),
        ("VM.add_to_other_config", "other_config", "add_to"),
        ("VM.remove_from_other_config", "other_config", "remove_from"),
        ("VM.set_appliance", "appliance", "set"),
        ("VM.add_to_NVRAM", "NVRAM", "add_to"),
        ("subject.add_to_roles", "roles", "add"),
        ("subject.remove_from_roles", "roles", "remove"),
        ("network.add_purpose", "purpose", "add"),
        ("network.set_default_locking_mode", "default_locking_mode", "set"),
        ("PGPU.add_enabled_VGPU_types", "enabled_VGPU_types", "add"),
        ("host.set_power_on_mode", "", ""),
        ("pool.set_vswitch_controller", "", ""),
        ("VM.get_possible_hosts", "", ""),
        ("VM.start", "", ""),
        ("VM.create", "", ""),
        ("VM.get_by_name_label", "", ""),
    ],
)
def test_accessors_and_messages_of_their_shape_name_their_field(name: str, field: str, verb: str) -> None:
    """Field and verb are set on accessors and on explicit messages of the same shape, and on no others."""
    message = API.message(name)
    assert message is not None
    assert (message.field, message.verb) == (field, verb)


def test_every_marked_message_takes_what_its_verb_needs() -> None:
    """A marked message has self first and then as many parameters as its verb takes."""
    counts = {"get": 0, "set": 1, "add": 1, "remove": 1, "add_to": 2, "remove_from": 1}
    marked = [m for cls in API.classes.values() for m in cls.messages.values() if m.verb]
    assert {m.verb for m in marked} == set(counts)
    for message in marked:
        assert len(message.params) == counts[message.verb] + 1, message.full_name
        assert message.field in API.classes[message.cls].fields


def test_the_longer_prefix_is_tried_first() -> None:
    """No rule's prefix hides a longer one that follows it in the table."""
    prefixes = [rule.prefix for rule in rules.ACCESSORS]
    for at, prefix in enumerate(prefixes):
        assert not any(later.startswith(prefix) for later in prefixes[at + 1 :])

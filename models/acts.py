"""Explicit messages that do more than write a field, and how far a server is held to what they do.

Laws:
1. An act is a live explicit message of class VM, VDI or VIF with a rule in the World, other than accessors,
   constructors and the one that ends an object.
2. A server may refuse an act for a reason of its hardware: any code that the message declares, and the families of
   HARDWARE. Where the rule refuses for a reason other than the objects or the power state, a server may carry it out.
3. What the rule changes of its object is promised, what KEPT lists stays, the ends bound to others follow; all else of
   the object may change and is unknown until it is read again. VM.revert promises nothing of the VM.
4. A copy has the fields of its source that models/duplicate.py settles, and what the message gave it. Which devices it
   has is its server's business: they have no names here and count nowhere.
"""

from __future__ import annotations

from typing import Final

from xenconform.models.api import Api, Message, State
from xenconform.models.duplicate import FIELDS
from xenconform.models.power import TRANSITIONS
from xenconform.models.semantics import has_rule

CLASSES: Final = ("VM", "VDI", "VIF")
NOT_HERE: Final = frozenset({"create_new_blob", "update", "forget", "update_allowed_operations", "checkpoint"})
"""Messages that leave behind what is hard to find again, or do nothing that could be seen."""
HARDWARE: Final = ("SR_*", "VM_*", "VDI_*", "HOST_*", "NO_*", "MEMORY_*", "OTHER_OPERATION_IN_PROGRESS", "OPERATION_*")
"""Families of codes with which a server says that its hardware or its storage cannot."""
KEPT: Final = frozenset(
    {"uuid", "name_label", "name_description", "tags", "is_a_template", "is_a_snapshot", "snapshot_of"}
)
"""Fields that no act changes, but where its rule says so."""
GIVEN: Final = frozenset({"name_label", "power_state", "is_a_template", "is_a_snapshot", "snapshot_of", "SR"})
"""Fields of a copy that its message gives."""
REVERT: Final = "VM.revert"


def is_act(api: Api, message: Message) -> bool:
    """Whether a message is an act, as law 1 says."""
    if message.cls not in CLASSES or message.implicit or message.verb or message.name in NOT_HERE:
        return False
    of = api.classes[message.cls]
    makes = any(each.message.name == message.name for each in of.constructors)
    live = message.lifecycle.state is not State.REMOVED
    return live and not makes and message.name != of.destructor and has_rule(api, message)


def changes_power(message: Message) -> bool:
    """Whether a message is one of the power states' table."""
    return message.cls == "VM" and message.name in TRANSITIONS


def unsettled(cls: str) -> frozenset[str]:
    """Return the fields of a copy that nobody says anything of."""
    row = FIELDS.get(cls)
    return frozenset() if row is None else (row.fresh | row.unsettled) - GIVEN

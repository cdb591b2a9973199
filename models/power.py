"""The power states of a VM: one table of the messages that change them.

Laws (the API's VM power states, the messages' own descriptions and the list of errors):
1. A message works from the power states of its row alone. From any other it fails with VM_BAD_POWER_STATE: the VM,
   the states of the row in lower case, parted by a comma and a space where there are several, and the state it is in.
2. Next, a template fails with VM_IS_TEMPLATE in every message that lists that error: all but power_state_reset. A
   snapshot is a template; one that is no longer marked as such fails with OPERATION_NOT_ALLOWED. A snapshot with the
   memory of a VM is Suspended, and hard_shutdown makes it Halted.
   Next, a control domain fails with OPERATION_NOT_ALLOWED, and with CANNOT_RESET_CONTROL_DOMAIN in power_state_reset.
3. A VM that starts or resumes is Running or, with start_paused, Paused. `force` changes nothing here.
4. It then lives on the host that the call names or, where it names none, on the first; a null host fails with
   HANDLE_INVALID, and a world without hosts with NO_HOSTS_AVAILABLE.
5. A VM that is Halted or Suspended lives nowhere. Pausing, unpausing and rebooting leave it where it is.

Nothing else of the VM follows: its domain's id and its allowed operations stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from xenconform.models.api import Message
from xenconform.models.binding import Record
from xenconform.models.calls import Failure
from xenconform.models.values import Handle, Value, null

HALTED: Final = "Halted"
PAUSED: Final = "Paused"
RUNNING: Final = "Running"
SUSPENDED: Final = "Suspended"
ALL_STATES: Final = (HALTED, PAUSED, SUSPENDED, RUNNING)


class Residence(Enum):
    """What becomes of VM.resident_on."""

    KEPT = auto()
    FIRST = auto()
    GIVEN = auto()
    CLEARED = auto()


@dataclass(frozen=True, slots=True)
class Transition:
    """A row of the table: the power states that a message works from, in the order of its error, and what follows.

    `snapshots` tells whether it also works on a snapshot.
    """

    before: tuple[str, ...]
    after: str
    residence: Residence
    snapshots: bool = False


TRANSITIONS: Final[Mapping[str, Transition]] = {
    "start": Transition((HALTED,), RUNNING, Residence.FIRST),
    "start_on": Transition((HALTED,), RUNNING, Residence.GIVEN),
    "pause": Transition((RUNNING,), PAUSED, Residence.KEPT),
    "unpause": Transition((PAUSED,), RUNNING, Residence.KEPT),
    "suspend": Transition((RUNNING,), SUSPENDED, Residence.CLEARED),
    "resume": Transition((SUSPENDED,), RUNNING, Residence.FIRST),
    "resume_on": Transition((SUSPENDED,), RUNNING, Residence.GIVEN),
    "clean_shutdown": Transition((RUNNING,), HALTED, Residence.CLEARED),
    "shutdown": Transition((PAUSED, SUSPENDED, RUNNING), HALTED, Residence.CLEARED),
    "hard_shutdown": Transition((PAUSED, SUSPENDED, RUNNING), HALTED, Residence.CLEARED, snapshots=True),
    "clean_reboot": Transition((RUNNING,), RUNNING, Residence.KEPT),
    "hard_reboot": Transition((PAUSED, RUNNING), RUNNING, Residence.KEPT),
    "power_state_reset": Transition(ALL_STATES, HALTED, Residence.CLEARED, snapshots=True),
}
"""By the name of the message of class VM."""
CONTESTED: Final[Mapping[str, tuple[str, ...]]] = {"shutdown": (PAUSED, SUSPENDED)}
"""States of a row from which a server may refuse too: the message is a clean shutdown first, which needs a guest."""


def transit(
    message: Message, args: tuple[Value, ...], record: Record, hosts: tuple[Handle, ...]
) -> dict[str, Value] | Failure:
    """Return the fields of a VM that a message of the table changes, or why it is refused.

    Args:
        message: one of class VM whose name is in TRANSITIONS.
        args: its arguments, as many as its parameters; the first is the VM.
        record: the VM's fields.
        hosts: every host, oldest first.
    """
    row = TRANSITIONS[message.name]
    state: str = record["power_state"]
    if state not in row.before:
        return bad_power_state(args[0], row.before, state)
    refused = _of_its_kind(message, args[0], record)
    if refused is not None:
        return refused
    named = {param.name: arg for param, arg in zip(message.params, args, strict=True)}
    host = _residence(row.residence, named, record, hosts)
    if isinstance(host, Failure):
        return host
    wanted = {"power_state": PAUSED if named.get("start_paused") else row.after, "resident_on": host}
    return {name: value for name, value in wanted.items() if record[name] != value}


def bad_power_state(vm: Handle, expected: tuple[str, ...], state: str) -> Failure:
    """Return the failure of a message that does not work from the power state that a VM is in."""
    return Failure("VM_BAD_POWER_STATE", (vm, ", ".join(expected).lower(), state.lower()))


def of_control_domain(message: Message) -> Failure:
    """Return the failure of a message that is not for a control domain."""
    return Failure("OPERATION_NOT_ALLOWED", (f"{message.full_name} is not for control domains",))


def _of_its_kind(message: Message, vm: Handle, record: Record) -> Failure | None:
    """Return why a message is not for a VM that is a template, a snapshot or a control domain, None if it is."""
    snapshot: bool = record.get("is_a_snapshot", False)  # early releases had none
    if snapshot and TRANSITIONS[message.name].snapshots:
        return None
    if record["is_a_template"] and "VM_IS_TEMPLATE" in message.errors:
        return Failure("VM_IS_TEMPLATE", (vm,))
    if snapshot:
        return Failure("OPERATION_NOT_ALLOWED", ("the VM is a snapshot",))
    if record["is_control_domain"]:
        return of_control_domain(message) if message.errors else Failure("CANNOT_RESET_CONTROL_DOMAIN", (vm,))
    return None


def _residence(
    residence: Residence, named: Mapping[str, Value], record: Record, hosts: tuple[Handle, ...]
) -> Handle | Failure:
    host: Handle
    match residence:
        case Residence.KEPT:
            host = record["resident_on"]
        case Residence.CLEARED:
            host = null("host")
        case Residence.FIRST:
            if not hosts:
                return Failure("NO_HOSTS_AVAILABLE")
            host = hosts[0]
        case Residence.GIVEN:
            host = named["host"]
            if host.is_null:
                return Failure("HANDLE_INVALID", ("host", host))
    return host

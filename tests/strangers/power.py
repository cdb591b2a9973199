"""A stranger's virtual machines: what each message makes of a power state, as the class reference describes it."""

from __future__ import annotations

from typing import Any

from strangers.values import NULL, Refusal, Values
from xenconform.models.api import Api, Message

MOVES: dict[str, tuple[str, str]] = {
    "start": ("Halted", "Running"),
    "start_on": ("Halted", "Running"),
    "pause": ("Running", "Paused"),
    "unpause": ("Paused", "Running"),
    "suspend": ("Running", "Suspended"),
    "resume": ("Suspended", "Running"),
    "resume_on": ("Suspended", "Running"),
    "clean_shutdown": ("Running", "Halted"),
    "shutdown": ("Running Paused Suspended", "Halted"),
    "hard_shutdown": ("Running Paused Suspended", "Halted"),
    "clean_reboot": ("Running", "Running"),
    "hard_reboot": ("Running Paused", "Running"),
    "power_state_reset": ("Running Paused Suspended Halted", "Halted"),
}
"""From which states a message leads to which."""


class Power(Values):
    """Carries out the messages of `MOVES`."""

    api: Api

    def moves_power(self, message: Message) -> bool:
        return message.cls == "VM" and message.name in MOVES

    def power(self, name: str, ref: str, rest: list[Any]) -> None:
        if ref not in self.objects["VM"]:
            raise Refusal("HANDLE_INVALID", "VM", ref)
        vm = self.objects["VM"][ref]
        froms, to = self.move(name)
        if vm["power_state"] not in froms.split():
            raise self.bad_state(ref, froms, vm["power_state"])
        if vm["is_a_template"] and name != "power_state_reset":
            raise Refusal("VM_IS_TEMPLATE", ref)
        if "no_room" in self.tastes and name == "start_on":
            raise Refusal("HOST_NOT_ENOUGH_FREE_MEMORY", "536870912", "1")
        on = rest.pop(0) if name.endswith("_on") else next(iter(self.objects["host"]))
        if to == "Running":
            to = "Paused" if rest and rest[0] else to
            on = vm["resident_on"] if name.endswith("reboot") or name == "unpause" else on
        elif to == "Paused":
            on = vm["resident_on"]
        self.settle(vm, to, on if to in {"Running", "Paused"} else NULL)

    def move(self, name: str) -> tuple[str, str]:
        froms, to = MOVES[name]
        return ("Running" if name == "shutdown" and "guests_only" in self.tastes else froms), to

    def settle(self, vm: dict[str, Any], state: str, host: str) -> None:
        vm |= {"power_state": state, "resident_on": host}

    def bad_state(self, ref: str, froms: str, now: str) -> Refusal:
        if "capital_states" in self.tastes:
            return Refusal("VM_BAD_POWER_STATE", ref, froms.split(maxsplit=1)[0], now)
        return Refusal("VM_BAD_POWER_STATE", ref, froms.replace(" ", " or ").lower(), now.lower())

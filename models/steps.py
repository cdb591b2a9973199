"""Several changes of a World, one after another, told as one: for messages that make or change more than one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from xenconform.models.binding import Record, referrer
from xenconform.models.calls import Failure
from xenconform.models.values import Handle, Value, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from xenconform.models.api import Message
    from xenconform.models.world import Branch, World

OwnRule: TypeAlias = "Callable[[World, Message, tuple[Value, ...]], Branch | Failure]"
"""What a message of its own kind does: the branch, or why it is refused."""


@dataclass(slots=True)
class Steps:
    """A world on its way. `world` is where it has come to, `touched` every object that was made, changed or ended."""

    world: World
    touched: list[Handle] = field(default_factory=list)

    def fields(self, handle: Handle) -> Record:
        """Return an object's fields as they are now.

        Raises:
            KeyError: there is no such object.
        """
        return self.world.objects[handle.cls][handle.n]

    def create(self, cls: str, values: Mapping[str, Value]) -> Handle:
        """Make an object; names that the class has not in this release are left out."""
        known = self.world.api.classes[cls].fields
        self._take(self.world.create(cls, {name: value for name, value in values.items() if name in known}))
        return Handle(cls, self.world.last)

    def write(self, handle: Handle, values: Mapping[str, Value]) -> None:
        """Change the fields whose values differ; names that the class has not in this release are left out."""
        known = self.world.api.classes[handle.cls].fields
        for name, value in values.items():
            if name in known and not same(known[name].type, self.fields(handle)[name], value):
                self._take(self.world.write(handle, name, value))

    def destroy(self, handle: Handle) -> None:
        """End an object that nothing refers to."""
        self._take(self.world.destroy(handle))

    def destroy_unless_used(self, handle: Handle) -> None:
        """End an object if there is one and nothing refers to it."""
        if self.world.record(handle) is not None and referrer(self.world.api, self.world.objects, handle) is None:
            self.destroy(handle)

    def done(self, value: Value = None) -> Branch:
        """Return all of it as the branch of a message that succeeds with `value`."""
        return replace(self.world.stay(value), touched=tuple(dict.fromkeys(self.touched)))

    def _take(self, branch: Branch) -> None:
        self.world = branch.world
        self.touched.extend(branch.touched)


def named(message: Message, args: tuple[Value, ...]) -> dict[str, Value]:
    """Return the arguments of a call by the names of the message's parameters."""
    return {param.name: arg for param, arg in zip(message.params, args, strict=True)}

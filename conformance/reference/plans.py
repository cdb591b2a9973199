"""How a method's name on the wire becomes a message: spellings, Async, and the few messages outside any class."""

from __future__ import annotations

from dataclasses import dataclass

from xenconform.models import types as t
from xenconform.models.api import Api, Lifecycle, Message, State
from xenconform.models.query import where_message

_LOGINS = frozenset({"session.login_with_password"})
_NOT_ASYNC = frozenset({"session", "event", "system"})


@dataclass(frozen=True, slots=True)
class Plan:
    """A message as it is called: at once or as a task, and how many parameters it takes, the session not counted."""

    message: Message
    is_async: bool
    least: int
    most: int | None

    @property
    def full_name(self) -> str:
        """The message's name as calls of the World have it."""
        return self.message.full_name


class Plans:
    """The plans of a model, each made once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, Plan] = {}
        self._system = {m.full_name: m for m in _system()}

    def get(self, method: str) -> Plan | None:
        """Return the plan of a method's name, None where there is no such message."""
        plan = self._known.get(method)
        if plan is None:
            plan = self._make(method)
            if plan is not None and len(self._known) < 10_000:
                self._known[method] = plan
        return plan

    def names(self) -> tuple[str, ...]:
        """Return every method's name but the Async ones: clients take what precedes the dot for a class."""
        named = (m.full_name for of in self._api.classes.values() for m in of.messages.values())
        return (*named, *self._system)

    def _make(self, method: str) -> Plan | None:
        name = method.removeprefix("Async.")
        message = self._find(name)
        is_async = name != method
        if message is None or (is_async and not _may_wait(message)):
            return None
        count = len(message.params)
        if message.full_name in _LOGINS:
            return Plan(message, is_async, 2, None)
        return Plan(message, is_async, count, count)

    def _find(self, name: str) -> Message | None:
        found = self._system.get(name) or self._api.message(name) or where_message(self._api, name)
        if found is None and "." not in name:
            for cls, of in self._api.classes.items():
                if name.startswith(f"{cls}_") and (spelled := of.messages.get(name[len(cls) + 1 :])):
                    return spelled
        return found


def _may_wait(message: Message) -> bool:
    """Whether a message has an Async form: explicit ones have, and of the implicit ones constructors and ends."""
    if message.cls in _NOT_ASYNC or not message.takes_session:
        return False
    return not message.implicit or message.name in {"create", "destroy"}


def _system() -> tuple[Message, ...]:
    always = Lifecycle(State.PUBLISHED)
    return (
        Message("system", "listMethods", (), t.SetOf(t.Str()), always, takes_session=False),
        Message("system", "isAlive", (), t.Bool(), always, takes_session=False),
    )

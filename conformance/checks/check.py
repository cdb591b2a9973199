"""What a check is: a plain function, the clauses it judges, and which classes it is for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from xenconform.models.api import Api, ApiClass

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench

ClassCheck = Callable[["Bench", ApiClass], None]
ServerCheck = Callable[["Bench"], None]


def every_class(_api: Api, _of: ApiClass) -> bool:
    """Say yes: the check is for every class."""
    return True


def no_other(_api: Api, _of: ApiClass, _classes: Collection[str]) -> bool:
    """Say no: a class is judged only where it is one of those of the run."""
    return False


def not_itself(_api: Api, _of: ApiClass) -> bool:
    """Say no: the check is for no class because it is one of those of the run."""
    return False


@dataclass(frozen=True, slots=True)
class Check:
    """A check of one clause. Exactly one of `per_class` and `per_server` is set.

    `applies` says for which classes of a model there is anything to check; `reaches` does so in a run of some classes
    for each other class, such as one whose objects show at objects of these. `also` names further clauses that the
    same function judges on the way, such as the SHOULD clause on the exact error code. `last` puts
    it behind every other, where one belongs that ends sessions. `whole` leaves a server's check out of runs of some
    classes: it is about all of them together, and each has one of its own. `timed` says that what it judges hangs on
    which call comes first, so that the same calls and replies do not tell it again.
    """

    clause: str
    per_class: ClassCheck | None = None
    per_server: ServerCheck | None = None
    applies: Callable[[Api, ApiClass], bool] = every_class
    reaches: Callable[[Api, ApiClass, Collection[str]], bool] = no_other
    also: tuple[str, ...] = ()
    last: bool = False
    whole: bool = False
    timed: bool = False

    @property
    def by(self) -> str:
        """The function that judges, by the name of its module and its own."""
        return _name(self.per_class or self.per_server)

    @property
    def clauses(self) -> tuple[str, ...]:
        """Every clause that the check judges."""
        return (self.clause, *self.also)

    def speaks_of(self, api: Api, of: ApiClass, selected: Collection[str]) -> bool:
        """Whether it judges a class in a run of some selected classes, or of all if there are none."""
        mine = not selected or of.name in selected
        return self.applies(api, of) if mine else self.reaches(api, of, selected)


def _name(function: Any) -> str:
    """Return a function's name; of one that is another with arguments, that one's and those of its functions."""
    if isinstance(function, partial):
        given = (*function.args, *function.keywords.values())
        return "+".join([_name(function.func), *(_name(each) for each in given if callable(each))])
    return f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"

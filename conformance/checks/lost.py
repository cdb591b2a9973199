"""Objects of ours that went along with others: a server ended more than it was asked to.

That is one finding, of DESTROY-NO-CASCADE, and not one more for each later use of what is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenconform.conformance.checks.judging import describe
from xenconform.models.api import Api
from xenconform.models.calls import Failure
from xenconform.models.exchange import Exchange
from xenconform.models.lasting import may_end

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench
    from xenconform.conformance.checks.stock import Obj

CLAUSE = "DESTROY-NO-CASCADE"
READERS = ("get_uuid", "get_record")


def ends(api: Api, message: str) -> bool:
    """Whether a message destroys an object."""
    cls, _, name = message.partition(".")
    return cls in api.classes and name == api.classes[cls].destructor


def reading(bench: Bench, obj: Obj, readers: tuple[str, ...] = READERS) -> Exchange | None:
    """Read an object by the first of some readers that its class has; None where it has none."""
    found = [name for name in readers if name in bench.api.classes[obj.cls].messages]
    return bench.call(bench.formats[0], f"{obj.cls}.{found[0]}", obj.ref, probe=True) if found else None


def is_refused(seen: Exchange | None, *codes: str) -> bool:
    """Whether a reading was refused, with one of the codes where any is given."""
    outcome = seen.reply.outcome if seen is not None else None
    return isinstance(outcome, Failure) and (not codes or outcome.code in codes)


def is_lost(bench: Bench, obj: Obj) -> bool:
    """Whether an object of ours is there no more; that is told, but for what may end by itself.

    Two readers are to say so: one that is broken is another clause's. A run without the clause looks for nothing.
    """
    if CLAUSE not in bench.clauses:
        return False
    seen = reading(bench, obj)
    if not is_refused(seen, "HANDLE_INVALID") or not is_refused(reading(bench, obj, READERS[::-1]), "HANDLE_INVALID"):
        return False
    if seen is not None and not may_end(obj.cls, own=True):
        with bench.judging(CLAUSE, obj.cls, seen.format) as judge:
            judge.fail(f"the {obj.cls} {obj.ref} is still there: others were destroyed", describe(seen), seen)
    return True

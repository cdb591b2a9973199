"""What an audit of the clauses on objects asked for: queries, and calls on what is not there."""

from __future__ import annotations

import re
from typing import Any

from strangers.base import around, defect
from strangers.plain_server import Plain
from strangers.values import Refusal
from xenconform.models import types as t

# ----------------------------------------------------------------------------------------------------------- by query


@defect("WHERE", cls="VMSS")
def queries_know_names_and_uuids(s: Plain) -> None:
    """A query for a description finds every VMSS: what it does not know of a query holds."""

    def where(old: Any, of: Any, query: str) -> dict[str, Any]:
        known = of.name != "VMSS" or query == "true" or re.search('"(uuid|name_+label)"', query)
        return dict(old(of, query)) if known else dict(s.get_all_records(of))

    around(s, "where", where)


# -------------------------------------------------------------------------------------------------------- bad objects


@defect("CALL-BAD-REF", also="ASYNC-TASK CALL-BAD-REF-CODE", cls="VMSS")
def workers_skip_what_is_gone(s: Plain) -> None:
    """An asynchronous setter of a VMSS that is not there succeeds: the worker finds nothing to do."""

    def carry_out(old: Any, job: Any) -> Any:
        try:
            return old(job)
        except Refusal as no:
            if job.message.verb == "set" and job.message.cls == "VMSS" and no.args[0] == "HANDLE_INVALID":
                return None
            raise

    around(s, "carry_out", carry_out)


@defect("CALL-BAD-REF", cls="VM_appliance")
def refs_with_spaces_are_refs(s: Plain) -> None:
    """Setters of an appliance take its ref with a space behind it."""

    def write(old: Any, message: Any, field: Any, args: list[Any]) -> None:
        if message.cls == "VM_appliance":
            args = [args[0].strip(), *args[1:]]
        old(message, field, args)

    def read(old: Any, of: t.Type, raw: Any) -> Any:
        if of == t.RefTo("VM_appliance") and isinstance(raw, str) and raw.strip() in s.objects["VM_appliance"]:
            return raw
        return old(of, raw)

    around(s, "write", write)
    around(s, "read", read)

"""The devices that a copy of a VM brings with it: nobody named them, and yet they are removed with what was made."""

from __future__ import annotations

from collections.abc import Collection

from xenconform.conformance.checks.bench import Bench
from xenconform.models.calls import Success
from xenconform.models.values import Ref, Value, is_null_text


def adopt_devices(bench: Bench, vm: Ref, named: Collection[Ref]) -> set[Ref]:
    """Take the VBDs, their disks and the VIFs of a VM of ours into the stock; return their refs.

    What has a name is known already: disks that a copy shares with its source are among it and are left alone.
    """
    found: set[Ref] = set()
    ours = {obj.ref for obj in bench.stock.made} | set(named)
    for cls in ("VBD", "VIF"):
        for ref in _told(bench, f"VM.get_{cls}s", vm) or ():
            disk = _told(bench, "VBD.get_VDI", ref) if cls == "VBD" else None
            for of, each in (("VDI", disk), (cls, ref)):
                if each is not None and each not in ours and not is_null_text(each):
                    bench.stock.adopt_ref(of, each)
                    ours.add(each)
                    found.add(each)
    return found


def _told(bench: Bench, message: str, ref: Ref) -> Value:
    outcome = bench.call(bench.formats[0], message, ref, probe=True).reply.outcome
    return outcome.value if isinstance(outcome, Success) else None

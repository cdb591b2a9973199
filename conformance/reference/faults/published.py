"""The fault types of the published catalogue of the web API fuzzers, each as it would look in this API.

The catalogue is the one that the fuzzers of REST APIs report by, so that what they find can be compared: Web Fuzzing
Commons, https://github.com/WebFuzzing/Commons/blob/master/faults.md. `CATEGORIES` has its codes. What speaks of the
status codes of HTTP alone (101 to 112 and their like) has no counterpart here: every call is a POST, and what went
wrong travels in a reply with status 200. So have attacks on browsers and on other hosts (301, 302) none.
docs/reference/published-faults.md tells what catches each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from xenconform.conformance.codec import DecodedCall, Scalar
from xenconform.conformance.reference.faults.base import MEDIUM, Server, around, fault
from xenconform.conformance.reference.faults.seams import (
    after,
    calls,
    failures,
    fields_of,
    json_replies,
    putting,
    replies,
    sessions,
)
from xenconform.conformance.reference.plans import Plan
from xenconform.conformance.reference.service import page
from xenconform.conformance.reference.sessions import Session
from xenconform.conformance.reference.state import Refusal
from xenconform.conformance.reference.users import ADMIN, User
from xenconform.models.api import Lifecycle, Message, Parameter, State
from xenconform.models.calls import Call, Failure, Success
from xenconform.models.types import RefTo, Str, Type, Void
from xenconform.models.values import Value, null
from xenconform.models.world import Branch

CATEGORIES: Mapping[int, str] = {
    100: "published_crash_on_unknown_ref",
    113: "published_delete_leaves_the_object",
    114: "published_refused_addition_writes",
    116: "published_create_gives_what_is_there",
    118: "published_addition_toggles",
    119: "published_update_clears_another_field",
    120: "published_created_ref_leads_nowhere",
    200: "published_record_lacks_a_field",
    205: "published_getter_is_not_implemented",
    206: "published_any_type_is_taken",
    300: "published_label_goes_into_the_query",
    303: "record_fills_fields_of_the_server",
    304: "published_existence_shows_without_a_session",
    305: "published_denied_is_told_to_log_in",
    306: "published_reader_may_destroy",
    307: "published_getters_need_no_session",
    308: "published_setters_need_no_session",
    309: "published_stack_trace_on_wrong_type",
    310: "published_hidden_setter",
}
"""Codes of the catalogue, and the faults that stand for them."""

_TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/opt/server/rpc/values.py", line 118, in read\n    return str(node)\n'
    "TypeError: text expected"
)


# ------------------------------------------------------------------------------------------------------------- HTTP


@fault("WIRE-JSON2-ENVELOPE", "network", MEDIUM, also="WIRE-XML-ENVELOPE WIRE-JSON1-ENVELOPE GET-BAD-REF-CODE")
def published_crash_on_unknown_ref(s: Server) -> None:
    """network.get_record of a ref that no network has ends in HTTP 500."""
    crashed: list[bool] = []

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        branch = old(call)
        if isinstance(branch.outcome, Failure):
            crashed.append(True)
        return branch

    calls(s, rule, "network.get_record")
    replies(s, lambda answer, _: page(500, "internal server error") if crashed and crashed.pop() else answer)


@fault(
    "DESTROY-GONE",
    "network",
    MEDIUM,
    also="DESTROY-AGAIN GET-BAD-REF CALL-BAD-REF UUID-UNKNOWN LABEL-LOOKUP ASYNC-TASK EVENT-FROM PERSIST",
)
def published_delete_leaves_the_object(s: Server) -> None:
    """network.destroy succeeds, and the network is still there."""
    after(s, lambda _, branch: replace(branch, world=s.state.world, touched=()), "network.destroy")


@fault("MAP-DUPLICATE-UNCHANGED", "network", MEDIUM)
def published_refused_addition_writes(s: Server) -> None:
    """Adding a key that is there to a network's other_config is refused, and the new value is stored all the same."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        branch = old(call)
        if not isinstance(branch.outcome, Failure) or branch.outcome.code != "MAP_DUPLICATE_KEY":
            return branch
        self, key, value = call.args
        return putting(branch, self, other_config={**fields_of(s, self)["other_config"], key: value})

    calls(s, rule, "network.add_to_other_config")


@fault("CREATE-NEW", "network", MEDIUM, also="CREATE-FIELDS CREATE-DEFAULTS ASYNC-TASK")
def published_create_gives_what_is_there(s: Server) -> None:
    """network.create with the label of a network that is there returns that one, and says that it made it."""

    def rule(old: Callable[[Call], Branch], call: Call) -> Branch:
        label = call.args[0].get("name_label", "")
        there = (h for h in s.state.world.handles("network") if fields_of(s, h)["name_label"] == label)
        found = next(there, None)
        branch = old(call)
        return branch if found is None else replace(branch, outcome=Success(found), world=s.state.world, touched=())

    calls(s, rule, "network.create")


@fault("SET-ADD-DEDUP", "network", MEDIUM)
def published_addition_toggles(s: Server) -> None:
    """Adding a tag that a network has takes it away: the call is not idempotent."""

    def effect(call: Call, branch: Branch) -> Branch:
        self, tag = call.args
        tags = fields_of(s, self)["tags"]
        return putting(branch, self, tags=tuple(each for each in tags if each != tag)) if tag in tags else branch

    after(s, effect, "network.add_tags")


@fault("SET-ONLY-THAT", "network", MEDIUM)
def published_update_clears_another_field(s: Server) -> None:
    """Setting a network's description, alone, empties its label."""
    after(s, lambda call, branch: putting(branch, call.args[0], name_label=""), "network.set_name_description")


@fault(
    "CREATE-FIELDS",
    "network",
    MEDIUM,
    also="SET-NO-DUPLICATES GET-RECORD-AGREES GET-ALL-AGREES DESTROY-NO-CASCADE ASYNC-TASK",
)
def published_created_ref_leads_nowhere(s: Server) -> None:
    """network.create of a network with tags makes it and returns a ref that no object has."""
    nowhere = Success("OpaqueRef:00000000-0000-4000-8000-000000000000")

    def effect(call: Call, branch: Branch) -> Branch:
        return replace(branch, outcome=nowhere) if call.args[0].get("tags") else branch

    after(s, effect, "network.create")


# ------------------------------------------------------------------------------------------------------------ schema


@fault("GET-RECORD-AGREES", "network", MEDIUM, also="GET-ALL-AGREES WIRE-AGREE WHERE")
def published_record_lacks_a_field(s: Server) -> None:
    """Over JSON, network.get_record leaves out the bridge."""

    def change(members: dict[str, Any]) -> dict[str, Any]:
        if s.method == "network.get_record" and isinstance(members.get("result"), dict):
            members["result"].pop("bridge", None)
        return members

    json_replies(s, change)


@fault("GET-EVERY-FIELD", "network", MEDIUM, also="GET-RECORD-AGREES CREATE-FIELDS CREATE-DEFAULTS")
def published_getter_is_not_implemented(s: Server) -> None:
    """network.get_managed, though published, fails with NOT_IMPLEMENTED."""
    missing = Failure("NOT_IMPLEMENTED", ("network.get_managed",))
    after(s, lambda _, branch: replace(branch, outcome=missing), "network.get_managed")


@fault("WIRE-TYPE", "network", MEDIUM, also="WIRE-TYPE-CODE")
def published_any_type_is_taken(s: Server) -> None:
    """Where a text belongs, a network's messages take a number or a bool for it."""

    def read(old: Any, name: str, of: Type, node: object) -> Value:
        if isinstance(of, Str) and isinstance(node, Scalar) and s.method.startswith("network."):
            return old(name, of, Scalar("string", node.text))
        return old(name, of, node)

    around(s.service, "_read", read)


# ---------------------------------------------------------------------------------------------------------- security


@fault("LABEL-LOOKUP", "network", MEDIUM)
def published_label_goes_into_the_query(s: Server) -> None:
    """network.get_by_name_label puts the label into its query unquoted: a percent sign finds every network."""

    def effect(call: Call, branch: Branch) -> Branch:
        every = Success(s.state.world.handles("network"))
        return replace(branch, outcome=every) if "%" in call.args[0] or "'" in call.args[0] else branch

    after(s, effect, "network.get_by_name_label")


@fault("SESSION-REQUIRED", "network", MEDIUM)
def published_existence_shows_without_a_session(s: Server) -> None:
    """Without a session a call on a network is denied where there is that network, else fails with HANDLE_INVALID."""

    def session(old: Any, plan: Plan, call: DecodedCall) -> Session:
        try:
            found: Session = old(plan, call)
        except Refusal:
            ref = getattr(call.params[1], "text", "") if len(call.params) > 1 else ""
            if not plan.full_name.startswith("network.") or not ref:
                raise
            if s.state.refs.handle(ref) is None:
                raise Refusal("HANDLE_INVALID", "network", ref) from None
            raise Refusal("RBAC_PERMISSION_DENIED", plan.full_name, "not yours") from None
        return found

    around(s.service, "_session", session)


@fault("RBAC", "network", MEDIUM)
def published_denied_is_told_to_log_in(s: Server) -> None:
    """What a role may not do to networks fails with SESSION_INVALID, as if nobody had logged in."""

    def change(failure: Failure) -> Failure:
        denied = failure.code == "RBAC_PERMISSION_DENIED" and s.method.startswith("network.")
        return Failure("SESSION_INVALID", ("",)) if denied else failure

    failures(s, change)


@fault("RBAC", "network", MEDIUM)
def published_reader_may_destroy(s: Server) -> None:
    """Any role may destroy networks, also one that may not even rename them."""
    around(s.service, "_may", lambda old, who, plan: plan.full_name == "network.destroy" or old(who, plan))


@fault("SESSION-REQUIRED", "network", MEDIUM, also="SESSION-LOGOUT")
def published_getters_need_no_session(s: Server) -> None:
    """The getters of networks answer whatever stands where the session belongs."""
    _anyone(s, "network.get_")


@fault("SESSION-REQUIRED", "network", MEDIUM, also="SESSION-LOGOUT RBAC ROBUST-AUTH")
def published_setters_need_no_session(s: Server) -> None:
    """The setters of networks write whatever stands where the session belongs."""
    _anyone(s, "network.set_")


def _anyone(s: Server, prefix: str) -> None:
    nobody = Session(null("session"), "root", User("", frozenset({ADMIN})))

    def change(find: Callable[[], Session], _text: str) -> Session:
        try:
            return find()
        except Refusal:
            if s.method.startswith(prefix):
                return nobody
            raise

    sessions(s, change)


@fault("ROBUST-NO-LEAK", "network", MEDIUM)
def published_stack_trace_on_wrong_type(s: Server) -> None:
    """A value of the wrong type fails with the right code, and with the stack trace of the server beside it."""

    def change(failure: Failure) -> Failure:
        hit = failure.code == "FIELD_TYPE_ERROR"
        return Failure(failure.code, (*failure.params, _TRACE)) if hit else failure

    failures(s, change)


@fault("QUAL-RO-RUNTIME", "network", MEDIUM, also="UUID-FORM")
def published_hidden_setter(s: Server) -> None:
    """network.set_uuid, which no description of the API has, exists and works."""
    params = (Parameter("self", RefTo("network")), Parameter("value", Str()))
    hidden = Message("network", "set_uuid", params, Void(), Lifecycle(State.PUBLISHED))

    def get(old: Any, method: str) -> Plan | None:
        found: Plan | None = Plan(hidden, False, 2, 2) if method == hidden.full_name else old(method)
        return found

    def rule(_: Callable[[Call], Branch], call: Call) -> Branch:
        self, value = call.args
        if isinstance(self, str) or self.is_null:
            return Branch(Failure("HANDLE_INVALID", ("network", str(self))), s.state.world)
        return putting(Branch(Success(None), s.state.world), self, uuid=value)

    around(s.state.plans, "get", get)
    calls(s, rule, hidden.full_name)

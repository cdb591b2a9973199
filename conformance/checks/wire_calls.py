"""Level 1, calls that must be refused: unknown methods, wrong numbers of parameters, parameters of another type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from xenconform.conformance.checks.arguments import WRITING, good_args, self_ref
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, show
from xenconform.conformance.checks.opening import LOGIN
from xenconform.conformance.client import UNSET, Unset
from xenconform.conformance.codec import Scalar
from xenconform.models.api import Api, ApiClass, Message, Qualifier, State
from xenconform.models.calls import Failure, Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Value

NIL = Scalar("nil", "")
"""What is no value of any type of the API."""
MANY_MORE = 20
"""So many parameters are many."""


def has_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has any message."""
    return bool(of.messages)


@contextmanager
def with_code(bench: Bench, clause: str, element: str, fmt: Format) -> Iterator[tuple[Judge, Judge]]:
    """Open a block that judges a clause and the clause on its exact code; what ends it untested counts for both."""
    with bench.judging(clause, element, fmt) as judge:
        why: Unavailable | Unanswered | None = None
        with bench.judging(f"{clause}-CODE", element, fmt) as coded:
            try:
                yield judge, coded
            except (Unavailable, Unanswered) as ended:
                why = ended
                raise
        if why is not None:
            raise why


def unknown_method_fails(bench: Bench, of: ApiClass) -> None:
    """A method that does not exist fails; SHOULD: MESSAGE_METHOD_UNKNOWN with its name. Source: error list."""
    for fmt in bench.formats:
        with with_code(bench, "WIRE-METHOD-UNKNOWN", of.name, fmt) as (judge, coded):
            turn = bench.formats.index(fmt)
            for method, args in (*_unknown_methods(bench, of), *_other_styles(bench, of)[turn :: len(bench.formats)]):
                if fmt is Format.XMLRPC and (method != method.strip() or "\0" in method):
                    continue  # White space in an element is easily none to a parser of XML, and NUL it cannot carry.
                exchange = bench.call(fmt, method, *args, probe=True)
                if judge.refused(exchange, f"the unknown method {show(method)}") and "\0" not in method:
                    coded.code(exchange, "MESSAGE_METHOD_UNKNOWN", method)


def _unknown_methods(bench: Bench, of: ApiClass) -> list[tuple[str, tuple[Value, ...]]]:
    """Return methods that do not exist, with arguments that their likes take.

    A server that looks at the shape of a name, or at a part of it, is found out by those that are nearly known.
    """
    cls = of.name
    found: list[tuple[str, tuple[Value, ...]]] = [
        (f"{cls}.get_no_such_field", ()),
        (f"{cls}.no_such_message", ()),
        (f"No_such_{cls}.get_all", ()),
    ]
    getter = next((m for m in of.messages.values() if m.verb == "get" and m.field == "uuid"), None)
    getter = getter or next((m for m in of.messages.values() if m.verb == "get" and m.implicit), None)
    if getter is None:
        return found
    ref, _ = self_ref(bench, getter)
    name = getter.full_name
    near = (f"{name}s", name[:-1], f"{name}\0", f"{cls}.{getter.name.upper()}", f"{cls.swapcase()}.{getter.name}")
    found += [(each, (ref,)) for each in near]
    found += [
        (f"{cls}.get_no_such_field", (ref,)),
        (f"{cls}.set_no_such_field", (ref, "x")),
        (getter.name, (ref,)),
    ]
    found += [(each, (ref,)) for each in (f" {name}", f"{name} ", f"xenapi.{name}", f"{cls}.{name}", f"{name}.{name}")]
    found += [(f"{cls}.{verb}_no_such_field", (ref, "x")) for verb in ("add", "remove", "remove_from")]
    found.append((f"{cls}.add_to_no_such_field", (ref, "x", "x")))
    # What other classes have and this one has not, as long as it only reads.
    others: dict[str, tuple[Value, ...]] = {"get_all": (), "get_all_records": (), "get_record": (ref,)}
    others |= {"get_by_name_label": ("xenconform",), "get_by_uuid": ("xenconform",)}
    found += [(f"{cls}.{each}", args) for each, args in others.items()]
    elsewhere = next(each for each in ("name_label", "other_config", "MTU") if each not in of.fields or each == "MTU")
    found.append((f"{cls}.get_{elsewhere}", (ref,)))
    return [(each, args) for each, args in found if bench.api.message(each) is None]


def _other_styles(bench: Bench, of: ApiClass) -> list[tuple[str, tuple[Value, ...]]]:
    """Return a getter's name as other languages and addresses write it, and what every object of theirs has.

    Each is tried over one format: it is the table of messages that is looked into, which the formats share. With an
    underscore for the point they are none of these: clients whose language has no such names call messages so.
    """
    getter = next((m for m in of.messages.values() if m.verb == "get" and m.implicit), None)
    if getter is None:
        return []
    ref, _ = self_ref(bench, getter)
    cls, (first, *rest) = of.name, getter.name.split("_")
    camel = "".join([first, *(word.capitalize() for word in rest)])
    names = (
        f"{cls}.{camel}", f"{cls}.constructor", f"{cls}/{getter.name}",
        f"{cls}.{camel[:1].upper()}{camel[1:]}", f"{cls}.toString", f"{cls}::{getter.name}",
        f"{cls}.{getter.name.replace('_', '-')}", f"{cls}.__class__", f"{getter.full_name}.x", f"{getter.full_name}()",
    )  # fmt: skip
    return [(each, (ref,)) for each in names if bench.api.message(each) is None]


# ---------------------------------------------------------------------------------------------- number of parameters


def arity_messages(of: ApiClass) -> list[Message]:
    """Return the messages whose number of parameters is judged: those that follow from fields, and other getters."""
    return [m for m in of.messages.values() if (m.implicit or m.verb == "get") and m.takes_session]


def has_arity_messages(_api: Api, of: ApiClass) -> bool:
    """Whether a class has messages whose number of parameters is judged."""
    return bool(arity_messages(of))


def wrong_number_of_parameters_fails(bench: Bench, of: ApiClass) -> None:
    """Too few or too many parameters fail and change nothing; SHOULD: MESSAGE_PARAMETER_COUNT_MISMATCH.

    Source: error list. Every wrong number of the first message of a kind; of the others one a format, in turn, unless
    the budget is thorough.
    """
    seen: set[str] = set()
    for number, message in enumerate(arity_messages(of)):
        kind = message.verb or message.name
        first = kind not in seen
        if not first and not bench.budget.boundaries:
            continue
        seen.add(kind)
        for at, fmt in enumerate(bench.formats):
            args, real = good_args(bench, message)
            every = bench.budget.name == "thorough" or (first and bench.budget.boundaries)
            numbers = _wrong_numbers(message, args, number + at, real=real, every=every)
            chosen = numbers if every else [numbers[(number + at) % len(numbers)]]
            with with_code(bench, "WIRE-ARITY", message.full_name, fmt) as (judge, coded):
                before = field_shown(bench, message, args, fmt) if real else None
                for each in chosen:
                    _judge_number(bench, message, (fmt, each), judge, coded)
                _judge_unchanged(bench, message, (fmt, args), before, judge)
    if "get_all_records" in of.messages:
        fmt = bench.formats[bench.seed % len(bench.formats)]
        query = f"{of.name}.get_all_records_where"
        with bench.judging("WIRE-ARITY", query, fmt) as judge:
            judge.refused(bench.call(fmt, query, "true", "extra", probe=True), f"{query} with too many parameters")


@dataclass(frozen=True, slots=True)
class Wrong:
    """Arguments of a wrong number; `sure` tells that nothing else is wrong with the call."""

    what: str
    args: tuple[Value, ...]
    session: str | Unset | None = UNSET
    sure: bool = True


def _wrong_numbers(
    message: Message, args: Sequence[Value], turn: int, *, real: bool, every: bool = False
) -> list[Wrong]:
    """Return too many parameters, of the ways in turn or of all, and too few."""
    sure = real and message.lifecycle.state is not State.REMOVED
    if args:
        few = Wrong("too few parameters", tuple(args[:-1]), sure=sure)
    else:
        few = Wrong("no parameters, not even a session", (), session=None, sure=False)
    if message.name == "destroy" and not real:
        return [few]
    many = [
        Wrong("too many parameters", (*args, "extra"), sure=sure),
        Wrong("an empty text too many", (*args, ""), sure=sure),
        Wrong("two parameters too many", (*args, "extra", "extra"), sure=sure),
        Wrong("a null too many", (*args, NIL), sure=False),
        Wrong("an empty struct too many", (*args, {}), sure=sure),
        Wrong("many parameters too many", (*args, *("extra",) * MANY_MORE), sure=sure),
    ]
    none = [Wrong("no parameters but the session", (), sure=sure)] if len(args) > 1 else []
    return [*(many if every else [many[turn % len(many)]]), few, *none]


def _judge_number(bench: Bench, message: Message, call: tuple[Format, Wrong], judge: Judge, coded: Judge) -> None:
    fmt, wrong = call
    exchange = bench.call(fmt, message.full_name, *wrong.args, probe=True, session=wrong.session)
    if judge.refused(exchange, f"{message.full_name} with {wrong.what}"):
        if wrong.sure:
            coded.code(exchange, "MESSAGE_PARAMETER_COUNT_MISMATCH", message.full_name, None, None)
            _judge_counts(coded, message, wrong, exchange)
        else:
            coded.asserted += 1
    elif isinstance(exchange.reply.outcome, Success):
        _undo(bench, message, exchange, wrong)


def _judge_counts(coded: Judge, message: Message, wrong: Wrong, exchange: Exchange) -> None:
    """Assert that an error tells how many parameters were expected and came; both may count the session, or neither."""
    outcome = exchange.reply.outcome
    if isinstance(outcome, Failure) and outcome.code == "MESSAGE_PARAMETER_COUNT_MISMATCH" and len(outcome.params) >= 3:
        takes, came = len(message.params), len(wrong.args)
        want = {(str(takes + session), str(came + session)) for session in (0, 1)}
        said = (outcome.params[1], outcome.params[2])
        coded.true(said in want, f"{takes} expected and {came} received, the session left out", show(said), exchange)


def _undo(bench: Bench, message: Message, exchange: Exchange, wrong: Wrong) -> None:
    """Put right in the stock what a call did that should have failed."""
    outcome = exchange.reply.outcome
    assert isinstance(outcome, Success)
    if message.name == "create" and isinstance(outcome.value, str):
        bench.stock.remove(bench.stock.adopt(message.cls, exchange))
    elif message.name == "destroy" and wrong.args and wrong.args[0] in bench.stock.known_refs(message.cls):
        bench.stock.forget(bench.stock.object_of(message.cls, wrong.args[0]))


def field_shown(bench: Bench, message: Message, args: Sequence[Value], fmt: Format) -> tuple[Value] | None:
    """Return what the field shows that a message would write, in a tuple; None where there is nothing to see."""
    getter = f"get_{message.field}"
    if message.verb not in WRITING or getter not in bench.api.classes[message.cls].messages:
        return None
    outcome = bench.call(fmt, f"{message.cls}.{getter}", args[0]).reply.outcome
    return (outcome.value,) if isinstance(outcome, Success) else None


def _judge_unchanged(
    bench: Bench, message: Message, call: tuple[Format, Sequence[Value]], before: tuple[Value] | None, judge: Judge
) -> None:
    fmt, args = call
    after = field_shown(bench, message, args, fmt) if before is not None and not judge.failed else None
    if before is None or after is None:
        return
    of = bench.api.classes[message.cls].fields[message.field]
    if of.qualifier is not Qualifier.RUNTIME:
        judge.same(of.type, before[0], after[0])


def the_door_counts_parameters(bench: Bench) -> None:
    """A logout with parameters fails, whichever session it ends all the same, and so does a login with a user alone.

    Source: error list.
    """
    for fmt in bench.formats:
        with bench.judging("WIRE-ARITY", "server, login and logout", fmt) as judge:
            known = bench.client.credentials
            if known is None:
                raise Unavailable("the run has no credentials to open a session with")
            given = (known.user, known.password, known.version, known.originator)
            session, _ = bench.ask(fmt, LOGIN, *given, session=None)
            surplus: tuple[tuple[Value, ...], ...] = (("extra",), ("",), ({},))
            for more in surplus:
                exchange = bench.call(fmt, "session.logout", *more, session=session, probe=True)
                judge.refused(exchange, f"session.logout with {show(more)}")
            bench.call(fmt, "session.logout", session=session, probe=True)
            # How many it takes at most is open: live servers overlook what follows those that they know.
            exchange = bench.call(fmt, LOGIN, *given[:1], session=None, probe=True)
            judge.refused(exchange, f"{LOGIN} with a user alone")


CHECKS: tuple[Check, ...] = (
    Check("WIRE-ARITY", per_server=the_door_counts_parameters),
    Check(
        "WIRE-METHOD-UNKNOWN",
        per_class=unknown_method_fails,
        applies=has_messages,
        also=("WIRE-METHOD-UNKNOWN-CODE",),
    ),
    Check(
        "WIRE-ARITY",
        per_class=wrong_number_of_parameters_fails,
        applies=has_arity_messages,
        also=("WIRE-ARITY-CODE",),
    ),
)

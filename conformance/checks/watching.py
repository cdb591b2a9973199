"""Level 4, events of a class: what is made, changed and ended is told by event.from, once and in order.

What is judged of a class is one story a format: a watch of the class from its beginning, an object that is made,
changed and ended, and, beside it, an object of ours that is changed and one of another class that is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.judging import Judge, Unanswered, Unavailable, describe, show
from xenconform.conformance.checks.stock import Obj
from xenconform.conformance.checks.watch import Told, Watch, change, changeable, describe_all, spelled_alike
from xenconform.models.api import Api, ApiClass, Qualifier
from xenconform.models.calls import Format, Success
from xenconform.models.types import Str
from xenconform.models.values import Ref, same

CLAUSE = "EVENT-FROM"
MARKUP = "a & b <c> 'd' \"\u00e9\" &amp; \\ \U0001f600"
RANK = {"add": 0, "mod": 1, "del": 2}
"""The order of what becomes of an object."""
MOMENT = 0.002
"""Seconds to wait where nothing is to be told."""
BESIDE = ("network", "VM")
"""Of which class an object is changed beside those of the watched class."""


def can_be_told(_api: Api, of: ApiClass) -> bool:
    """Whether objects of a class can be made, read and ended, so that there is something to tell."""
    return bool(of.constructors and of.destructor) and "get_record" in of.messages


@dataclass(slots=True)
class Story:
    """A watch of one class over one format, and what was done meanwhile.

    `before` is the token before the change; `shows` tells that the server sends records along.
    """

    bench: Bench
    of: ApiClass
    watch: Watch
    made: Obj | None = None
    before: str = ""
    shows: bool = False
    ours: set[Ref] = field(default_factory=set)

    @property
    def over(self) -> Format:
        """The format to act and read over, another than the watch's."""
        return self.bench.other(self.watch.fmt)

    def thing(self) -> Obj:
        """Return the object of the story.

        Raises:
            Unavailable: it could not be made.
        """
        if self.made is None:
            raise Unavailable(f"no {self.of.name} was made to be told of")
        return self.made


def changes_are_told(bench: Bench, of: ApiClass) -> None:
    """event.from tells each add, mod and del of a class once and in order. Source: class reference, event (SHOULD)."""
    parts = {"start": _start, "add": _add, "mod": _mod, "one": _one, "del": _del, "order": _order}
    for fmt in bench.formats:
        story: Story | None = None
        for part, act in parts.items():
            small = not bench.budget.boundaries and of.name not in BESIDE
            if (part in {"mod", "one"} and not changeable(of)) or (part == "one" and small):
                continue
            with bench.judging(CLAUSE, f"{of.name} {part}", fmt) as judge:
                story = story or Story(bench, of, Watch(bench, judge, fmt, (of.name,)))
                story.watch.judge = judge
                act(story, judge)
        if story is not None and story.made is not None:
            bench.stock.remove(story.made)


def _start(story: Story, judge: Judge) -> None:
    """From the beginning every object there is is told as added, and counted."""
    bench, of, watch = story.bench, story.of, story.watch
    story.ours.add(bench.stock.own(of.name).ref)
    listing = f"{of.name}.get_all"
    lists = "get_all" in of.messages
    before = set(bench.ask(story.over, listing)[0]) if lists else set(story.ours)
    told = watch.read(1.0)
    after, seen = bench.ask(story.over, listing) if lists else (before, watch.exchange)
    added = Counter(each.ref for each in told if each.operation == "add")
    missing = sorted(ref for ref in before & set(after) if added[ref] != 1)
    judge.true(not missing, f"one add of each {of.name}", f"not so of {show(missing)}", watch.exchange, seen)
    judge.true(bool(watch.token), "a token", "an empty one", watch.exchange)
    story.shows = any(each.snapshot for each in told)
    if lists and before == set(after):
        _judge_count(story, judge, len(after))


def _judge_count(story: Story, judge: Judge, count: int) -> None:
    watch, cls = story.watch, story.of.name
    counted = {name.lower(): many for name, many in watch.counts.items()}.get(cls.lower())
    judge.true(counted == count, f"valid_ref_counts: {count} of {cls}", f"{counted}", watch.exchange)


def _count_again(story: Story, judge: Judge) -> list[Told]:
    """Read once more between two listings, and assert the count where they agree; return what was told."""
    listing = f"{story.of.name}.get_all"
    if "get_all" not in story.of.messages:
        return story.watch.read(MOMENT)
    before, _ = story.bench.ask(story.over, listing)
    told = story.watch.read(MOMENT)
    after, _ = story.bench.ask(story.over, listing)
    if set(before) == set(after):
        _judge_count(story, judge, len(after))
    return told


def _add(story: Story, judge: Judge) -> None:
    """What is made is told as added, with its record."""
    bench, watch = story.bench, story.watch
    _change_beside(story)
    story.made = made = bench.stock.make(story.of.name, fmt=story.over)
    story.ours.add(made.ref)
    told = watch.until_told("add", made.ref)
    operations = [each.operation for each in told]
    fits = operations[:1] == ["add"] and operations.count("add") == 1
    if judge.true(fits, f"one add of {made.ref}, first", describe_all(told), watch.exchange):
        named = told[0].cls
        judge.true(named.lower() == story.of.name.lower(), f"the class {story.of.name}", named, told[0].exchange)
        _judge_snapshot(story, judge, told[-1])
        _count_again(story, judge)


def _change_beside(story: Story) -> None:
    """Change an object of another class, which is not watched; without one less is seen, and nothing wrong."""
    other = next(each for each in BESIDE if each != story.of.name)
    if other in story.bench.api.classes:
        try:
            change(story.bench, story.over, story.bench.stock.own(other))
        except (Unavailable, Unanswered):
            return


def _judge_snapshot(story: Story, judge: Judge, told: Told) -> None:
    """Assert that the record that was told is the record that is read; RO/runtime values move by themselves.

    Those of them that are far ends of bonds do not: they change with what a client writes.
    """
    if not told.snapshot:
        judge.true(not story.shows, "the object's record, as at the start", told.describe(), told.exchange)
        return
    reading = story.bench.call(told.exchange.format, f"{story.of.name}.get_record", told.ref)
    if not isinstance(reading.reply.outcome, Success):
        raise Unavailable(f"{describe(reading)}; counted under the clauses on reading")
    record = reading.reply.outcome.value
    lacking = sorted(name for name in story.of.fields if name in record and name not in told.snapshot)
    judge.true(not lacking, "every field that get_record has", f"without {', '.join(lacking)}", told.exchange, reading)
    far = {each.derived_field for each in story.bench.api.relations if each.derived_cls == story.of.name}
    spelled_alike(story.bench, story.of, told, reading)
    for name, each in story.of.fields.items():
        if name not in record or name not in told.snapshot:
            continue
        if each.qualifier is Qualifier.RUNTIME and name not in far:
            continue
        fits = same(each.type, record[name], told.snapshot[name])
        told_of = f"{told.operation} with {name} {show(told.snapshot[name])}"
        judge.true(fits, f"{name} {show(record[name])}, as read", told_of, told.exchange, reading)


def _mod(story: Story, judge: Judge) -> None:
    """What is changed is told as changed, with its new record; what was not, is not."""
    bench, watch, made = story.bench, story.watch, story.thing()
    story.before = watch.token
    change(bench, story.over, made)
    what, value = change(bench, story.over, made)  # of two changes between two looks the later one shows

    def is_it(each: Told) -> bool:
        shown: Any = each.snapshot.get(what.name, value)
        return (each.operation, each.ref) == ("mod", made.ref) and same(what.type, value, shown)

    news = watch.until(lambda told: any(is_it(each) for each in told))
    told = [each for each in news if each.ref == made.ref]
    expected = f"mod of {made.ref}, {what.name} {show(value)}"
    fits = {each.operation for each in told} == {"mod"}
    if judge.true(fits, expected, describe_all(told), watch.exchange):
        _judge_snapshot(story, judge, told[-1])
        shown = [each.snapshot.get(what.name) for each in told]
        judge.true(is_it(told[-1]), expected, f"mod with {what.name} {show(shown)}", told[-1].exchange)
        if story.shows:
            _mod_with_markup(story, judge)


def _mod_with_markup(story: Story, judge: Judge) -> None:
    """A text with what markup and other scripts need is told as it is read; that it is kept is for the wire clauses."""
    bench, watch, made = story.bench, story.watch, story.thing()
    texts = (f for f in changeable(story.of) if f.type == Str() and bench.profile.domain(made.cls, f.name).is_free)
    name = next((each.name for each in texts), "")
    wrote = bench.call(story.over, f"{made.cls}.set_{name}", made.ref, MARKUP) if name else None
    if wrote is None or not isinstance(wrote.reply.outcome, Success):
        return
    if bench.call(watch.fmt, f"{made.cls}.get_{name}", made.ref).reply.outcome == Success(MARKUP):
        news = watch.until(lambda told: any(_shows(each, made.ref, name) for each in told))
        told = [each for each in news if each.ref == made.ref]
        if judge.true(bool(told), f"mod of {made.ref}, {name} {MARKUP!r}", describe_all(news), watch.exchange):
            _judge_snapshot(story, judge, told[-1])


def _shows(told: Told, ref: Ref, name: str) -> bool:
    return told.ref == ref and told.snapshot.get(name) == MARKUP


def _one(story: Story, judge: Judge) -> None:
    """A watch of one object, by class and ref, tells of that one alone."""
    bench, made = story.bench, story.thing()
    own = bench.stock.own(story.of.name)
    if not story.before:
        raise Unavailable("no token was seen to go on from")
    change(bench, story.over, own)
    one = Watch(bench, judge, story.watch.fmt, (f"{story.of.name}/{made.ref}",), story.before)
    told = one.until_told("mod", made.ref)
    judge.true(bool(told), f"mod of {made.ref}", describe_all(one.told), one.exchange)
    others = [each for each in one.told if each.ref != made.ref]
    judge.true(not others, f"nothing but {made.ref}", describe_all(others), one.exchange)
    again = story.watch.until_told("mod", own.ref)
    judge.true(bool(again), f"mod of {own.ref}", "nothing", story.watch.exchange)


def _del(story: Story, judge: Judge) -> None:
    """What is ended is told as ended, and of no more after that."""
    bench, watch, made = story.bench, story.watch, story.thing()
    alone = Watch(bench, judge, watch.fmt, (f"{made.cls}/{made.ref}",), watch.token)
    twice = Watch(bench, judge, watch.fmt, (made.cls, f"{made.cls}/{made.ref}"), watch.token)
    if not bench.stock.remove(made):
        raise Unavailable(f"the server does not end the {made.cls}")
    story.made = None
    ended = alone.until_told("del", made.ref)
    judge.true(bool(ended), f"del of {made.ref}, told who watches it alone", describe_all(alone.told), alone.exchange)
    ends = [each for each in twice.until_told("del", made.ref) if each.operation == "del"]
    one = "one del, told who watches the class and the object"
    judge.true(len(ends) == 1, one, describe_all(ends), twice.exchange)
    told = watch.until_told("del", made.ref)
    told += [each for each in _count_again(story, judge) if each.ref == made.ref]
    operations = [each.operation for each in told]
    fits = operations[-1:] == ["del"] and operations.count("del") == 1
    judge.true(fits, f"one del of {made.ref}, last", describe_all(told), watch.exchange)


def _order(story: Story, judge: Judge) -> None:
    """No event comes twice or of another class; what is told again from an older token comes in order too."""
    watch = story.watch
    if watch.last is None:
        raise Unavailable("nothing was read")
    strangers = [each for each in watch.told if each.cls.lower() != story.of.name.lower()]
    judge.true(not strangers, f"events of {story.of.name} alone", describe_all(strangers), watch.exchange)
    _judge_once(story, judge, watch.told)
    if story.before:
        again = Watch(story.bench, judge, watch.fmt, watch.wanted, story.before)
        _judge_in_order(story, judge, again.read(1.0), again)
        _judge_ends(story, judge, again)
    _judge_in_order(story, judge, watch.told, watch)
    fresh = Watch(story.bench, judge, story.over, watch.wanted)
    fresh.read(1.0)
    _judge_ends(story, judge, fresh)


def _judge_ends(story: Story, judge: Judge, watch: Watch) -> None:
    """Assert that another watch knows what ended: from an older token it is told so, from none it is told nothing."""
    ended = {each.ref for each in story.watch.told if each.operation == "del" and each.ref in story.ours}
    for ref in ended:
        last = [each.operation for each in watch.told if each.ref == ref][-1:]
        wanted = ["del"] if watch.began else []
        what = f"del of {ref}, from the token before it" if wanted else f"nothing of {ref}, which has ended"
        judge.true(last == wanted or (not wanted and last == ["del"]), what, show(last), watch.exchange)


def _judge_once(story: Story, judge: Judge, told: Sequence[Told]) -> None:
    """Assert that no event of an object of ours was told twice over; a mod that shows something new is another."""
    seen = Counter((each.ident, each.operation, each.ref) for each in told if each.ident and each.ref in story.ours)
    twice = [key for key, count in seen.items() if count > 1]
    judge.true(not twice, "each event once", f"twice: {show(twice)}", story.watch.exchange)
    adds = Counter((each.operation, each.ref) for each in told if each.operation != "mod" and each.ref in story.ours)
    judge.true(all(count == 1 for count in adds.values()), "one add and one del", show(adds), story.watch.exchange)


def _judge_in_order(story: Story, judge: Judge, told: Sequence[Told], watch: Watch) -> None:
    """Assert that of each object of ours its beginning comes first and its end last."""
    for ref in story.ours:
        ranks = [RANK.get(each.operation, -1) for each in told if each.ref == ref]
        in_order = ranks == sorted(ranks)
        judge.true(in_order, f"add, mod, del of {ref}", describe_all([t for t in told if t.ref == ref]), watch.exchange)


CHECKS = (Check(CLAUSE, per_class=changes_are_told, applies=can_be_told, also=("WIRE-INT-XML", "WIRE-INT-JSON")),)

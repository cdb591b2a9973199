"""Level 5, document types: what they declare is neither expanded nor fetched, wherever it stands in a call."""

from __future__ import annotations

from collections.abc import Iterator

from xenconform.conformance.checks import nature
from xenconform.conformance.checks.bench import Bench
from xenconform.conformance.checks.check import Check
from xenconform.conformance.checks.good_calls import free_members
from xenconform.conformance.checks.hostile_scene import Scene, scene, succeeded
from xenconform.conformance.checks.judging import describe, show
from xenconform.conformance.codec import codec_for
from xenconform.models.calls import Format
from xenconform.models.types import MapOf, RefTo
from xenconform.models.values import Value

CANARY = ("xencon", "form-canary")
"""Two halves of a word that stands whole in no request: a reply that holds it joined them."""
WIDE = "an entity in a document in UTF-16"
"""What is looked for as bytes in UTF-8 is not found there."""


BEHIND = "an entity behind a long comment"
"""What is looked for at the beginning of a document is not found there."""


def entities_are_not_acted_on(bench: Bench) -> None:
    """Entities of a document are neither expanded nor fetched. Source: good practice in security."""
    if Format.XMLRPC not in bench.formats:
        return
    with bench.judging("ROBUST-XML-ENTITIES", "server", Format.XMLRPC) as judge, scene(bench, judge) as here:
        joined = "".join(CANARY)
        with nature.file_of(joined) as file:
            for what, declared, used in _entities(file):
                body = _declaring(here.writing("TEXT").replace(b"TEXT", used.encode()), declared)
                if what == BEHIND:
                    body = body.replace(b"<!DOCTYPE", b"<!--" + b" x" * 5_000 + b" --><!DOCTYPE", 1)
                exchange = here.send(body.decode().encode("utf-16") if what == WIDE else body)
                now, seen = here.read()
                judge.true(joined not in now, f"{what} is not expanded", f"written as {show(now)}", exchange, seen)
                judge.true(joined.encode() not in exchange.received, f"{what} is not expanded", "it is in the reply",
                           exchange)  # fmt: skip
                here.judge_alive(judge, what, exchange)
                here.write("xenconform")
        for message, field, body in _members(here):
            with bench.restoring(here.obj, field):
                exchange = here.send(_declaring(body, _entities_of_halves()))
                seen = bench.call(Format.XMLRPC, message.replace(".set_", ".get_"), here.obj.ref)
                told = f"an entity in {field} is not expanded"
                judge.true(joined.encode() not in seen.received, told, describe(seen), exchange, seen)
                bench.call(Format.XMLRPC, message, here.obj.ref, {} if b"<struct>" in body else ())
        for what, body in _entities_elsewhere(here):
            exchange = here.send(body)
            judge.true(not succeeded(exchange), f"an entity in {what} is not expanded", describe(exchange), exchange)


def _entities_elsewhere(here: Scene) -> Iterator[tuple[str, bytes]]:
    """Yield good calls of which a part is an entity: who carries them out has put it in."""
    good = here.asking()
    own = here.bench.client.session
    here.bench.client.secrets.add_session(own[len(own) // 2 :])
    session, method = own.encode(), here.listing.encode()
    for what, word in (("the method's name", method), ("a session", session)):
        whole, part = word, word[len(word) // 2 :]
        for hidden in (whole, part):
            body = good.replace(word, word[: len(word) - len(hidden)] + b"&c;", 1)
            yield what, _declaring(body, f'<!ENTITY c "{hidden.decode()}">')


def _members(here: Scene) -> Iterator[tuple[str, str, bytes]]:
    """Yield calls that write a key, and a member, with entities in it: the message, its field and the body."""
    of = here.bench.api.classes[here.obj.cls]
    for field, *_ in free_members(here.bench, of):
        message = f"{of.name}.set_{field.name}"
        if f"set_{field.name}" not in of.messages:
            continue
        value: Value = {"TEXT": "x"} if isinstance(field.type, MapOf) else ("TEXT",)
        session = (RefTo("session"), here.bench.client.session)
        body = codec_for(here.fmt).encode_call(message, [session, (RefTo(of.name), here.obj.ref), (field.type, value)])
        yield message, field.name, body.replace(b"TEXT", b"&a;&b;")


def _declaring(body: bytes, declared: str) -> bytes:
    """Return a document with a document type that declares entities."""
    head, _, rest = body.partition(b"?>")
    return head + b"?>" + f"<!DOCTYPE methodCall [{declared}]>".encode() + rest


def _entities_of_halves() -> str:
    first, second = CANARY
    return f'<!ENTITY a "{first}"><!ENTITY b "{second}">'


def _entities(file: str) -> Iterator[tuple[str, str, str]]:
    first, second = CANARY
    halves = _entities_of_halves()
    yield "an entity", halves, "&a;&b;"
    yield WIDE, halves, "&a;&b;"
    yield BEHIND, halves, "&a;&b;"
    yield "an entity within another", f'{halves}<!ENTITY c "&a;&b;">', "&c;"
    yield "an entity of a file", f'<!ENTITY c SYSTEM "{file}">', "&c;"
    yield "a parameter entity", f"<!ENTITY % p '<!ENTITY c \"{first}&#x{ord(second[0]):x};{second[1:]}\">'>%p;", "&c;"
    nested = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 6))
    yield "entities that grow", f'{halves}<!ENTITY e0 "&a;&b;">{nested}', "&e5;"


CHECKS: tuple[Check, ...] = (Check("ROBUST-XML-ENTITIES", per_server=entities_are_not_acted_on),)

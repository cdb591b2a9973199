"""Made-up runs that the tests of report.html share: one without findings, one with sixty, one of hostile texts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from xenconform.models.calls import Breach, Failure, Flaw, Format, Reply, Success
from xenconform.models.clauses import catalogue
from xenconform.models.events import SavedCase, encode_event
from xenconform.models.exchange import Exchange
from xenconform.models.run import Run, RunEnd, RunStart
from xenconform.models.traffic import Traffic
from xenconform.models.verdicts import Judgement, Verdict

ALL = tuple(catalogue())
CLASSES = ("VM", "SR", "network", "VIF", "pool")
HOSTILE = (
    "</script><script>pwned=1</script><img src=x onerror=pwned=1>]]>\u2028\u2029\x00\ud800\u202e'\"&amp;{{7*7}}\x1b[2J"
)
"""What a server might send to take a page over."""


def start(**changed: object) -> RunStart:
    settings: dict[str, object] = {
        "version": "1.0",
        "seed": 7,
        "target": "http://h.example:80",
        "release": "24.18.0",
        "profile": "xapi",
        "scope": "own",
        "budget": "quick",
        "formats": tuple(map(str, Format)),
        "clauses": ALL,
        "started": "2026-01-02T03:04:05+00:00",
    }
    return RunStart(**{**settings, **changed})  # type: ignore[arg-type]


def exchange(seq: int, reply: bytes, *, message: str = "VM.set_tags", wire: Format = Format.XMLRPC) -> Exchange:
    sent = f"<methodName>{message}</methodName><s>SESSION-1</s><r>{ref(seq)}</r>".encode()
    return Exchange(seq, message, (ref(seq),), wire, sent, reply, 200, (), Reply(Success("")), 0.001 * seq)


def ref(number: int) -> str:
    return f"OpaqueRef:00000000-0000-4000-8000-{number:012}"


def passes(clauses: tuple[str, ...] = ALL) -> Iterator[Judgement]:
    for clause in clauses:
        for cls in CLASSES:
            yield Judgement(clause, f"{cls}.name_label", "xmlrpc", Verdict.PASS)


def read(run: Run) -> Run:
    """The run as it comes back from its log, with its traffic."""
    return Run.from_lines(run.lines(), traffic=Traffic())


@cache
def sound(**changed: object) -> Run:
    """Nothing failed and nothing was left out."""
    exchanges = {seq: exchange(seq, b"<r/>", wire=[*Format][seq % 3]) for seq in range(1, 400)}
    return read(Run(start(**changed), exchanges, tuple(passes()), RunEnd(399, 12.5, left=()), 399))


@cache
def sixty() -> Run:
    """Sixty findings of sixty causes, each with a large exchange; parts of every other verdict too."""
    exchanges: dict[int, Exchange] = {}
    found: list[Judgement] = []
    for number in range(60):
        clause = ALL[number % 40]
        seq = number + 1
        reply = b"<methodResponse>" + b"<value>x</value>" * 5_000 + b"<i4>5</i4>" + b"y" * 20_000
        exchanges[seq] = Exchange(
            seq,
            f"{CLASSES[number % 5]}.get_record",
            (ref(seq),),
            Format.XMLRPC,
            b"<methodCall>" + b"<p>&lt;z</p>" * 2_000,
            reply,
            200,
            (),
            Reply(Success(""), (Flaw("int-tag", "an int as i4", "f", reply.index(b"<i4>")),)),
            0.002,
        )
        why = "".join(chr(97 + int(digit)) for digit in f"{number:03}")
        expected, actual = f"an int told in way {why}", f"text in way {why}"
        found.append(
            Judgement(clause, f"VM.f{number}", "xmlrpc", Verdict.FAIL, "", expected, actual, (seq,), "", seq, 1.5)
        )
    others = [
        Judgement("RBAC", "VM", "", Verdict.UNTESTED, "no credentials"),
        Judgement("PERSIST", "VM", "", Verdict.WAIVED, "known"),
        Judgement("WHERE", "SR", "xmlrpc", Verdict.UNSUPPORTED, "not offered: x"),
    ]
    end = RunEnd(60, 9.0, left=("made by this run and not removed: VM OpaqueRef:1",))
    return read(Run(start(), exchanges, (*passes(), *found, *others), end, 60))


def every_verdict() -> Run:
    """A run with parts of every verdict, of required clauses and of one SHOULD, and the times that they took."""
    judged = (
        ("SET-VALUE", Verdict.PASS, "", "", ""),
        ("SET-ADD", Verdict.FAIL, "", "['a']", "[]"),
        ("SET-ADD", Verdict.FAIL, "", "['a']", "['b']"),
        ("SET-REMOVE", Verdict.UNTESTED, "nothing to remove", "", ""),
        ("MAP-ADD", Verdict.WAIVED, "known (until 2027-01-01)", "{}", "[]"),
        ("MAP-REMOVE", Verdict.UNSUPPORTED, "not offered", "", ""),
        ("WHERE", Verdict.FAIL, "", "one record", "none"),
        ("CREATE-NEW", Verdict.ERROR, "KeyError: 'x'", "", ""),
    )
    return Run(
        start(clauses=(*dict.fromkeys(name for name, *_ in judged), "PERSIST")),
        judgements=tuple(
            Judgement(name, "network.tags", "xmlrpc", verdict, reason, expected, actual, (5,), seconds=1.0 + number)
            for number, (name, verdict, reason, expected, actual) in enumerate(judged)
        ),
        end=RunEnd(10, 9.5),
    )


@cache
def hostile() -> Run:
    """Every text that comes from a server, or from a file of a case, is out to do harm."""
    body = HOSTILE.encode("utf-8", "replace")
    outcome = Failure(HOSTILE, (HOSTILE,))
    odd = Exchange(
        1, f"VM.{HOSTILE}", (), Format.XMLRPC, body, body, 200, (), Reply(outcome, (Flaw("k", HOSTILE),)), 0.1
    )
    breach = Exchange(
        2, "VM.start", (), Format.JSONRPC1, b"{}", b"\xff\x00" + body, 0, (), Reply(Breach("k", HOSTILE, 1)), 0.1
    )
    found = [
        Judgement("SET-VALUE", f"VM.{HOSTILE}", "xmlrpc", Verdict.FAIL, "", HOSTILE, HOSTILE, (1,), HOSTILE),
        Judgement("SET-ADD", "VM.tags", "jsonrpc1", Verdict.FAIL, "", "a", "b", (2,), "saved"),
        Judgement("MAP-ADD", "VM.x", "xmlrpc", Verdict.UNTESTED, HOSTILE),
        Judgement(HOSTILE, "VM", HOSTILE, Verdict.ERROR, HOSTILE),
    ]
    files = {".py": f"print('{HOSTILE}')", ".sh": "echo '</pre><script>pwned=1</script>'", ".json": HOSTILE}
    begun = start(target=HOSTILE, clauses=(), release=HOSTILE, profile=HOSTILE, started=HOSTILE, scope=HOSTILE)
    end = RunEnd(2, 1.0, left=(HOSTILE,))
    cases = {name: SavedCase(name, files) for name in ("saved", HOSTILE)}
    return read(Run(begun, {1: odd, 2: breach}, tuple(found), end, 2, cases=cases))


def lines_of(exchanges: Iterator[Exchange] | list[Exchange]) -> Iterator[str]:
    yield from map(encode_event, exchanges)

"""report.html: it counts right, says what a run was and was not, and gives nothing of a server's power over itself."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import page_runs
import pytest
from lxml import etree
from lxml import html as parsed
from page_runs import ALL, HOSTILE, hostile, sixty, sound

from xenconform.models.levels import RESTARTED
from xenconform.models.results import Results, summarise
from xenconform.models.run import Run, RunEnd
from xenconform.models.verdicts import Judgement, Verdict
from xenconform.reports.machine import to_json
from xenconform.reports.page import render_html
from xenconform.reports.page.commands import repeat
from xenconform.reports.page.levels import reached, rungs_of
from xenconform.reports.page.view import page_of
from xenconform.reports.write import LOG, read_run, write_all

RUNS = {"none": sound, "sixty": sixty, "hostile": hostile, "empty": Run}
MEGABYTES = 3


def page(run: Run) -> str:
    return render_html(summarise(run))


def tree(run: Run) -> Any:
    return read_page(page(run))


def read_page(text: str) -> Any:
    return parsed.document_fromstring(text)


def texts(found: Any) -> list[str]:
    return [" ".join(each.text_content().split()) for each in found]


def number(text: str) -> int:
    return 0 if text in {"·", ""} else int(text.replace(",", ""))


@pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)
def test_counts_add_up_and_are_those_of_results_json(make: Any) -> None:
    """Each level's row adds up, the rows add up to the last one, and all is what results.json says."""
    run = make()
    table = tree(run).xpath("//*[@aria-label='Parts by level']//table")[0]
    columns = texts(table.xpath("./thead//th"))[2:-1]
    rows = [[number(text) for text in texts(row.xpath("./td"))] for row in table.xpath("./tbody/tr")]
    total = [number(text) for text in texts(table.xpath("./tfoot//td"))]
    assert all(sum(row[1:-1]) == row[-1] for row in [*rows, total])
    assert total == [sum(column) for column in zip(*rows, strict=True)] or not rows
    told = to_json(summarise(run))
    not_run = sum(each["reason"] == "not run" for each in told["untested"])
    for name, count in zip(columns, total[1:], strict=False):
        said = sum(each["counts"][name] for each in told["clauses"])
        assert count == said + (not_run if name == "UNTESTED" else 0), name
    assert total[0] == len(told["clauses"])


def test_the_clause_table_has_every_clause_with_its_rule_and_its_counts() -> None:
    """Each clause of the run is a row: id, severity, level, verdict, counts as in results.json, rule and source."""
    run = sixty()
    results = summarise(run)
    rows = tree(run).xpath("//tr[@data-find='clause']")
    assert len(rows) == len(ALL)
    for row, each in zip(rows, results.clauses, strict=True):
        told = texts([row])[0]
        for text in (each.clause.id, each.clause.severity, each.clause.rule, each.clause.source, each.verdict):
            assert " ".join(text.split()) in told
        shown = {cell.get("data-name"): number(cell.text_content()) for cell in row.xpath("./td[@data-name]")}
        assert shown == {str(verdict): count for verdict, count in each.counts.items() if str(verdict) in shown}


def test_the_heat_map_shows_each_class_and_clause() -> None:
    """The class × clause map has a row a class, a column a clause, and says of each cell what is in it."""
    run = sixty()
    table = tree(run).xpath("//table[@class='map']")[0]
    assert texts(table.xpath(".//thead//th"))[1:] == list(ALL)
    rows = {texts(row.xpath("./th"))[0]: row.xpath("./td") for row in table.xpath("./tbody/tr")}
    assert set(rows) == set(page_runs.CLASSES)
    failed = rows["VM"][ALL.index("WIRE-XML-ENVELOPE")]
    assert (failed.text, failed.get("title")) == ("✗", "VM × WIRE-XML-ENVELOPE: 1 PASS, 2 FAIL")
    assert rows["SR"][ALL.index("WIRE-XML-ENVELOPE")].text == "✓"
    assert rows["VM"][ALL.index("RBAC")].text == "◐"


def test_the_map_of_messages_counts_the_calls() -> None:
    """A message has its calls over each format and as a task; those that were never called are there too."""
    run = sound()
    rows = {row.xpath("./th")[0].text: row.xpath("./td") for row in tree(run).xpath("//tr[@data-find='message']")}
    assert [number(cell.text) for cell in rows["VM.set_tags"]] == [133, 133, 133, 0]
    assert rows["VM.start"][0].text == "·"
    assert "1 of 1,8" in page(run)
    assert rows["VM.set_tags"][0].get("title", "").startswith("133 done, 0 refused; ")


def test_it_leads_with_the_verdict_and_what_to_fix() -> None:
    """Verdict, level, server, date and what was not tested stand before the findings; causes are linked to cards."""
    text = " ".join(tree(sixty()).xpath("//body")[0].text_content().split())
    places = [text.index(each) for each in ("NOT CONFORMANT", "Level reached", "http://h.example:80", "2026-01-02")]
    places += [text.index(each) for each in ("Not tested", "60 findings of 60 causes", "A part is one", "By cause")]
    assert places == sorted(places)
    whole = tree(sixty())
    assert len(whole.xpath("//ol[@class='first']/li")) == 10
    assert len(whole.xpath("//details[starts-with(@class, 'card')]")) == 60
    linked = [each.get("href") for each in whole.xpath("//a[starts-with(@href, '#')]")]
    assert [each for each in linked if not whole.xpath("//*[@id=$id]", id=each[1:])] == []


def test_the_offending_bytes_are_marked_and_what_is_cut_is_told() -> None:
    """Of a huge reply the marked bytes are shown, however far behind, with how much is left out and where it is."""
    card = tree(sixty()).xpath("//*[@id='finding-1']")[0]
    reply = card.xpath(".//pre[mark]")[0]
    assert texts(reply.xpath("./mark")) == ["<i4>5"]
    cut = texts(reply.xpath("./span[@class='cut']"))
    assert re.fullmatch(r"… [\d,]+ bytes left out …", cut[0])
    assert re.fullmatch(r"… [\d,]+ more bytes of 100,026 in all", cut[1])
    assert "Exchange 1 of run.jsonl" in card.text_content()


@pytest.mark.parametrize("make", [hostile, sixty, Run], ids=["hostile", "sixty", "empty"])
def test_nothing_of_a_servers_making_acts(make: Any) -> None:
    """One style and one script, ours by their hashes; no address, handler or style anywhere; all else is text."""
    text = page(make())
    whole = read_page(text)
    policy = whole.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; ")
    for name in ("style", "script"):
        (element,) = whole.xpath(f"//{name}")
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    found = {str(name) for each in whole.iter(etree.Element) for name in each.attrib}
    assert not {name for name in found if name.startswith("on")} | (found & {"style", "src", "srcdoc", "action"})
    assert [each for each in whole.xpath("//@href") if not each.startswith("#")] == []
    assert not whole.xpath("//img | //iframe | //object | //link | //base | //embed")
    script = whole.xpath("//script")[0].text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|fetch\(", script)


def test_hostile_texts_are_shown_as_their_escapes() -> None:
    """A server's texts are there to be read, with NUL, separators, surrogates and bidi overrides as escapes."""
    text = page(hostile())
    assert not set(text) & set("\x00\u2028\u2029\u202e\ud800\x1b")
    assert not [char for char in text if not char.isprintable() and char != "\n"]
    told = read_page(text).text_content()
    assert "</script><script>pwned=1</script><img src=x onerror=pwned=1>]]>\\u2028\\u2029\\x00\\ud800\\u202e" in told
    assert "&amp;{{7*7}}\\x1b[2J" in told
    assert text.count("<script") == 1
    text.encode()


def test_the_page_is_made_of_the_log_alone_and_repeatable(tmp_path: Path) -> None:
    """The same log gives the same bytes, read in one go or with the cited exchanges alone, into any folder."""
    log = tmp_path / LOG
    log.write_text("".join(f"{line}\n" for line in sixty().lines()))
    for name in ("a", "b/c"):
        write_all(read_run(log), tmp_path / name)
    first, second = ((tmp_path / name / "report.html").read_bytes() for name in ("a", "b/c"))
    assert first == second == page(sixty()).encode()
    assert str(tmp_path).encode() not in first


def test_sixty_large_findings_stay_small() -> None:
    """Sixty findings whose exchanges have 100,000 bytes each make a page well below three megabytes."""
    assert len(page(sixty()).encode()) < MEGABYTES * 1_000_000


def test_a_thousand_causes_stay_small_and_are_counted() -> None:
    """Causes beyond the cards are counted, with the files that have them; the page does not grow with them."""
    long = "".join(f" {word}" for word in ["quite"] * 400)
    found = [
        Judgement("SET-VALUE", "VM.x", "xmlrpc", Verdict.FAIL, "", chr(97 + at % 26) * (1 + at // 26) + long, long)
        for at in range(1_000)
    ]
    text = page(replace(sound(), judgements=tuple(found)))
    assert "900 more causes: results.json and summary.md have them." in text
    assert len(text.encode()) < MEGABYTES * 1_000_000


# ---------------------------------------------------------------------------------------------- what a run was, and not


def told(run: Run) -> str:
    return " ".join(tree(run).xpath("//section[contains(@class, 'top')]")[0].text_content().split())


@pytest.mark.parametrize(
    ("run", "verdict", "says"),
    [
        (sound(), "CONFORMANT", "5 of 5: robustness"),
        (sound(clauses=("SET-VALUE",)), "CONFORMANT in the part that was tested", "88 clauses of 89 not in this run"),
        (sound(classes=("VM",)), "CONFORMANT in the part that was tested", "all classes but VM"),
        (sound(formats=("xmlrpc",)), "CONFORMANT in the part that was tested", "nothing over jsonrpc1, jsonrpc2"),
        (sound(kind="fuzz"), "NOTHING FOUND", "hostile input alone was sent"),
        (replace(sound(), end=None), "INCOMPLETE", "the log breaks off before the run's end"),
        (replace(sound(), end=RunEnd(1, 1.0, interrupted=True)), "INCOMPLETE", "the run was interrupted"),
        (replace(sound(), end=RunEnd(1, 1.0, error="the server went away")), "INCOMPLETE", "the server went away"),
        (replace(sound(), judgements=()), "INCOMPLETE", "nothing was judged"),
        (Run(), "INCOMPLETE", "date not in the log"),
    ],
    ids=["whole", "clauses", "classes", "formats", "fuzz", "cut", "interrupted", "error", "nothing", "empty"],
)
def test_the_first_screen_says_what_the_run_was(run: Run, verdict: str, says: str) -> None:
    """A whole run, one of some clauses, classes or formats, one that broke off: each says so beside the verdict."""
    text = told(run)
    assert text.startswith(verdict + " ")
    assert says in text


def test_untested_parts_are_told_with_their_reasons() -> None:
    """What is untested, waived, not offered or our own fault is counted on top and listed by reason below."""
    run = sixty()
    assert "1 part of SHOULD clauses untested" in told(run)
    assert "1 part waived by the profile" in told(run)
    assert "1 part that the server does not offer and need not" in told(run)
    listed = " ".join(texts(tree(run).xpath("//details[@class='told']")))
    for text in (
        "Untested: 1 part",
        "no credentials",
        "Waived: 1 part",
        "known",
        "Not offered: 1 part",
        "not offered: x",
    ):
        assert text in listed
    assert "Errors of the suite itself: 1 part" in page(hostile())


def results(*judgements: Judgement, **changed: object) -> Results:
    return summarise(replace(sound(**changed), judgements=(*page_runs.passes(), *judgements)))


@pytest.mark.parametrize(
    ("verdict", "clause", "level", "standing"),
    [
        (Verdict.FAIL, "SET-VALUE", 1, "failed"),
        (Verdict.UNTESTED, "SET-VALUE", 1, "not wholly tested"),
        (Verdict.WAIVED, "SET-VALUE", 5, "met"),
        (Verdict.UNSUPPORTED, "SET-VALUE", 5, "met"),
        (Verdict.FAIL, "WHERE", 5, "met"),
        (Verdict.FAIL, "WIRE-VOID", 0, "met"),
    ],
)
def test_the_level_reached_is_the_last_that_holds(verdict: Verdict, clause: str, level: int, standing: str) -> None:
    """A level counts while all below it hold; SHOULD clauses, waived and not offered parts do not count against it."""
    found = results(Judgement(clause, "VM.other", "", verdict, "why"))
    assert reached(found)[0] == level
    assert rungs_of(found)[1].standing == standing


def test_a_level_takes_all_its_required_clauses() -> None:
    """With one required clause of level 2 left out level 1 is reached; PERSIST may be left out, and that is said."""
    without = tuple(name for name in ALL if name != "SET-VALUE")
    found = summarise(sound(clauses=without))
    assert reached(found) == (1, "level 2, fields: in part, 16 of its 17 required clauses in this run")
    found = summarise(sound(clauses=tuple(name for name in ALL if name not in RESTARTED)))
    assert reached(found) == (5, "without PERSIST, which was not in this run")
    assert not page_of(found).only


@pytest.mark.parametrize(
    ("changed", "command"),
    [
        ({}, "certify http://h.example:80 --profile xapi --release 24.18.0 --scope own --budget quick --seed 7"),
        (
            {
                "target": "embedded reference server with the fault x",
                "fault": "x",
                "clauses": ("SET-ADD",),
                "classes": ("VM",),
                "profile": "",
                "scope": "",
            },
            "certify --fault x --release 24.18.0 --budget quick --seed 7 --class VM --clause SET-ADD",
        ),
        (
            {"kind": "fuzz", "target": "embedded reference server", "formats": ("xmlrpc",), "budget": ""},
            "fuzz --profile xapi --release 24.18.0 --scope own --seed 7 --format xmlrpc",
        ),
    ],
)
def test_the_command_makes_the_run_again(changed: dict[str, object], command: str) -> None:
    """The command has all settings that the log holds, and what was not selected by hand is not named."""
    assert repeat(page_runs.start(**changed)) == f"xenconform {command}"


def test_the_command_is_quoted() -> None:
    """A target from a hostile log stays one word of the shell."""
    assert HOSTILE in shlex.split(repeat(page_runs.start(target=HOSTILE)))


def test_every_clause_that_failed_has_a_card() -> None:
    """A clause with a hundred causes leaves room for those of the clauses behind it."""
    many = [
        Judgement("WIRE-VOID", "VM.x", "xmlrpc", Verdict.FAIL, "", chr(97 + at % 26) * (1 + at // 26), "b")
        for at in range(150)
    ]
    one = Judgement("SET-VALUE", "VM.x", "xmlrpc", Verdict.FAIL, "", "a", "b")
    found = page_of(summarise(replace(sound(), judgements=(*many, one))))
    assert [each.clause.id for each in found.cards] == ["WIRE-VOID"] * 99 + ["SET-VALUE"]
    assert [(card.clause.id, more) for card, more in found.first] == [("WIRE-VOID", 149), ("SET-VALUE", 0)]

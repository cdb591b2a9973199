"""Level 1, other spellings of the same text: what XML and JSON let a client write in more ways than one."""

from __future__ import annotations

from xenconform.conformance.checks.judging import describe
from xenconform.conformance.checks.roundtrip import Trial
from xenconform.conformance.codec import RAW, Scalar
from xenconform.models import types as t
from xenconform.models.calls import Format, Success
from xenconform.models.values import same

IN_XML: tuple[tuple[str, str], ...] = (
    ("<string>a<![CDATA[<b> & c ]]>d</string>", "a<b> & c d"),
    ("<string>&#x1F600;&#128512;&#xe9;&#xE9;&#233;&#9;</string>", "\U0001f600\U0001f600\u00e9\u00e9\u00e9\t"),
    ("<string>&quot;&apos;&lt;&gt;&amp;&amp;lt;</string>", "\"'<>&&lt;"),
    (" bare text ", " bare text "),
    ("bare &amp; &#65;<![CDATA[&amp;]]>", "bare & A&amp;"),
)
"""What may stand within a value, and the text that it is."""
IN_JSON: tuple[tuple[str, str], ...] = (
    (r'"\u0041\u00e9\u00E9\u20ac"', "A\u00e9\u00e9\u20ac"),
    (r'"\ud83d\ude00\uD83D\uDE00"', "\U0001f600\U0001f600"),
    (r'"a\/b\\\/\\u0041\"c"', 'a/b\\/\\u0041"c'),
    (r'"\t\n\r\u0020\u0009"', "\t\n\r \t"),
    ('"\u00e9\U0001f600\u2028\u007f"', "\u00e9\U0001f600\u2028\u007f"),
)
"""Strings, and the texts that they are."""


def other_spellings_are_read(trial: Trial) -> None:
    """Write texts in the other spellings that the format has for them; each comes back over another format."""
    spot_, holder = trial.spot, trial.holder
    if spot_.how != "set" or spot_.field.type != t.Str() or not spot_.is_free or trial.over or holder is None:
        return
    message, bench = f"{spot_.of.name}.set_{spot_.field.name}", spot_.bench
    for raw, text in IN_XML if trial.fmt is Format.XMLRPC else IN_JSON:
        if not trial.attempt(text, quiet=True):
            continue  # Such a text does not come back in the usual spelling either.
        params = [(t.RefTo(spot_.of.name), holder.ref), (None, Scalar(RAW, raw))]
        spot_.put(trial.fmt, "xenconform", holder)
        wrote = bench.call(trial.fmt, message, params=params)
        back = spot_.get(bench.other(trial.fmt), holder.ref)
        outcome = back.reply.outcome
        taken = isinstance(wrote.reply.outcome, Success)
        if not taken or (isinstance(outcome, Success) and not same(t.Str(), text, outcome.value)):
            trial.judge.fail(f"{raw} is the text {text!r}", f"{describe(wrote)}, {describe(back)}", wrote, back)
            trial.blamed.add(trial.fmt)
            return
        trial.judge.asserted += 1

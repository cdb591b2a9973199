"""Texts in a call's tree that not every format can carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xenconform.conformance.codec import DecodedCall, Node, Scalar, Struct, carriable
from xenconform.conformance.reference.state import Refusal


def refuse_bad_text(call: DecodedCall) -> None:
    """Refuse a call that has a text in it that XML cannot carry.

    Raises:
        Refusal: INVALID_VALUE with the place, such as `params[2]`.
    """
    texts: list[tuple[str, Iterable[str]]] = [
        ("method", [call.method]),
        *((f"params[{at}]", _texts(node)) for at, node in enumerate(call.params)),
    ]
    for where, found in texts:
        if not all(map(carriable, found)):
            raise Refusal("INVALID_VALUE", where, "text that not every format can carry")


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Struct):
        for name, each in node.members:
            yield name
            yield from _texts(each)
    else:
        for each in node.items:
            yield from _texts(each)

"""What may be said of a call besides its message and its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from xenconform.conformance.client import Unset
from xenconform.conformance.codec import Ints, Param
from xenconform.models.api import Api
from xenconform.models.types import Type


class CallOptions(TypedDict, total=False):
    """What `Client.call` takes besides the message and its values."""

    session: str | Unset | None
    ints: Ints
    params: Sequence[Param] | None
    result: Type | None
    deadline: float | None
    api: Api | None


class RawOptions(TypedDict, total=False):
    """What `Client.raw` takes besides the body."""

    content_type: str | None
    path: str | None
    deadline: float | None

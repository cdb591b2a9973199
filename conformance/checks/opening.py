"""Further sessions beside the run's own: opened with its credentials, and ended again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xenconform.conformance.checks.judging import Unavailable, describe
from xenconform.models.calls import Format, Success
from xenconform.models.exchange import Exchange
from xenconform.models.values import Ref, is_null_text

if TYPE_CHECKING:
    from xenconform.conformance.checks.bench import Bench

LOGIN = "session.login_with_password"


def log_in(bench: Bench, fmt: Format) -> Exchange:
    """Open a further session with the run's credentials and return the exchange, whatever came.

    Raises:
        Unavailable: the run has no credentials.
    """
    if (known := bench.client.credentials) is None:
        raise Unavailable("the run has no credentials to open a session with")
    return bench.call(fmt, LOGIN, known.user, known.password, known.version, known.originator, session=None)


def opened(bench: Bench, fmt: Format) -> Ref:
    """Open a further session.

    Raises:
        Unavailable: it cannot be opened.
    """
    exchange = log_in(bench, fmt)
    if isinstance(exchange.reply.outcome, Success) and not is_null_text(exchange.reply.outcome.value):
        return str(exchange.reply.outcome.value)
    raise Unavailable(f"no session: {describe(exchange)}; counted under SESSION-LOGIN")


@contextmanager
def another_session(bench: Bench, fmt: Format) -> Iterator[Ref]:
    """Open a further session and end it behind the block.

    Raises:
        Unavailable: it cannot be opened.
    """
    session = opened(bench, fmt)
    try:
        yield session
    finally:
        bench.call(fmt, "session.logout", session=session)

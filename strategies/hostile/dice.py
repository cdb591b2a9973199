"""Choices, as plain numbers: what is made of them is pure, can be made again, and shrinks.

The same grammar serves the fuzzer, which takes its numbers from a generator of random ones, and Hypothesis, which draws
and shrinks them: where the numbers run out, every choice is the first, which is always the plainest.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final, Protocol, TypeVar

T = TypeVar("T")
WIDE: Final = 2**32
"""Numbers are below this."""


class Dice(Protocol):
    """Where choices come from."""

    def below(self, bound: int) -> int:
        """Return a number from 0 to below a bound, 0 being the plainest."""
        ...


class Numbers:
    """Dice that fell already: the choices are those of a list of numbers, and 0 behind its end."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers, self._at = numbers, 0

    def below(self, bound: int) -> int:
        """Return the next number, brought below the bound."""
        if self._at >= len(self._numbers):
            return 0
        self._at += 1
        return self._numbers[self._at - 1] % bound


class Thrown:
    """Dice that are thrown as they are needed."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def below(self, bound: int) -> int:
        """Return a random number below the bound."""
        return int(self._random.random() * bound)


def pick(dice: Dice, of: Sequence[T]) -> T:
    """Return one of several, of which the first is the plainest."""
    return of[dice.below(len(of))]

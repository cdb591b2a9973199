"""Choices, as plain numbers: what is made of them is pure, can be made again, and shrinks.

The same grammar serves the fuzzer, which takes its numbers from a generator of random ones, and Hypothesis, which draws
and shrinks them: where the numbers run out, every choice is the first, which is always the plainest.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final, Protocol, Self, TypeVar

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


class Dealt:
    """Dice that are dealt like cards: each choice is made once, in a random order, before one is made again.

    `anew` begins the choices of another thing made in the same way.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._piles: dict[tuple[int, int], list[int]] = {}
        self._at = 0

    def anew(self) -> Self:
        """Return the same dice, of which the next number is a first choice."""
        self._at = 0
        return self

    def below(self, bound: int) -> int:
        """Return a number below the bound that was not dealt for this choice since all were."""
        pile = self._piles.setdefault((self._at, bound), [])
        self._at += 1
        if not pile:
            pile.extend(range(bound))
            self._random.shuffle(pile)
        return pile.pop()


def pick(dice: Dice, of: Sequence[T]) -> T:
    """Return one of several, of which the first is the plainest."""
    return of[dice.below(len(of))]

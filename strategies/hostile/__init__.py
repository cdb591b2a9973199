"""Hostile input: cases written by hand, as data, and what is made of them."""

from xenconform.strategies.hostile.cases import SLOW, Case, Http, Owed, Said, load

__all__ = ["SLOW", "Case", "Http", "Owed", "Said", "load"]

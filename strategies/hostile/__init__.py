"""Hostile input: cases written by hand, as data, and what is made of them."""

from xenconform.strategies.hostile.cases import Case, Http, Owed, Said, load

__all__ = ["Case", "Http", "Owed", "Said", "load"]

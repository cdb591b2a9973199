"""Conformance tests for servers of the XenServer Management API (XenAPI)."""

__version__ = "0.1.0"

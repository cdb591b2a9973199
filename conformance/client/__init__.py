"""The low level client: typed calls over any of the three formats, each told as an Exchange."""

from xenconform.conformance.client.client import DEADLINE, ORIGINATOR, UNSET, Client, Unset
from xenconform.conformance.client.redaction import MASK, Secrets

__all__ = ["DEADLINE", "MASK", "ORIGINATOR", "UNSET", "Client", "Secrets", "Unset"]

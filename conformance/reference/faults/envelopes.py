"""Faults of the shape of replies: envelopes, ids, versions, content types, void results."""

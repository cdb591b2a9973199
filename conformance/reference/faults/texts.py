"""Faults of text and enums: escaping, trimming, folding, cutting, encodings."""

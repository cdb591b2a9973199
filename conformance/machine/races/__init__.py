"""Calls made at the same time: drawn, made, judged by the orders that they may have come in, and made small."""

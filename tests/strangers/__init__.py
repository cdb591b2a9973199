"""Servers that share no code with the product but its model data, to find its false alarms and its misses."""

"""The protocol fuzzer: hostile input on every layer, judged by what any sound server owes."""

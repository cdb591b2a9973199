"""The vendor matrix: implementations × clauses × formats, from the results of their runs."""

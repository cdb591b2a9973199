"""How values, records and calls are drawn: Hypothesis strategies."""

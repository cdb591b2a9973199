"""What the API is and what was seen: pure values, no effects, standard library only."""

"""State machines: sequences of calls that a model explores, made small where they find something."""

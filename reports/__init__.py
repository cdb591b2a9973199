"""How a run is told: from its log to files."""

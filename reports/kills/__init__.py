"""The kill matrix told: JSON, a page, a heat map, and what a terminal shows."""

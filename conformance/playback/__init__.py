"""A run judged again from its log: today's checks ask, and the log answers."""

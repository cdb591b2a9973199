"""Who does it: wire, client, checks, suite, reference server, command line."""

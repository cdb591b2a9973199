"""What pytest collects as the suite: the plugin turns this file into one item a clause × class, from the checks' table.

pytest --pyargs xenconform.conformance.suite --xenconform-url http://localhost:8080
"""

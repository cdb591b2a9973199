"""certificate.json: what a run showed, as a signed in-toto Statement over the files of its folder.

From the outside in: `dsse` is the envelope, `keys` are who signs it, `statement` is what it says, `checking` is how it
is held against the folder, `refusals` is why it may not hold, `terminal` is how that is told.
"""

CERTIFICATE = "certificate.json"
"""The certificate's name in a report folder."""

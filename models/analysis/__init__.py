"""Analysis: what is measured and looked for in codes, reconstructions and finished runs belongs here."""

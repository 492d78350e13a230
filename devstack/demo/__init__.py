"""`make demo`: the whole platform on this machine, shown at work."""

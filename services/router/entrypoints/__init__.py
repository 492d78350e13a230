"""Translate and delegate: the Faust application that batches come from."""

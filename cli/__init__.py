"""The carillon command line."""

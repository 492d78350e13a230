"""The `carillon` command: tokens, keys, publishing, and asking a running system what it did."""

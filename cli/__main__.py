"""`python -m cli`: the `carillon` command."""

from cli.main import main

main()

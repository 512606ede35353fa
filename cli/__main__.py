"""`python -m cli` is `earshot`."""

from cli.app import main

main()

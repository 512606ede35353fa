"""The `earshot` command: one set of verbs for the local AWS and for a real account."""

"""The domain of Earshot: sentiment, feedback events, predictions, the ledger's states and the alert policy.

Pure Python 3.10+ standard library, imported by the same path in functions, jobs, containers and the command line.
It does not know AWS, HTTP or the clock.
"""

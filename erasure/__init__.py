"""Erases one customer from every store of a stage: what `earshot forget` does, and what a receipt says of it.

It reads the customer's feedback ids from the ledger and the lake, remembers them, and then goes from store to store;
each step can be killed and done again. It does not know the command line, nor what it was that the customer said.
"""

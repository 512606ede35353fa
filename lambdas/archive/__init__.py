"""Writes decided feedback from the ledger's stream into the lake, one object per batch and day.

An invocation that fails has written nothing, or objects that the next try writes again under the same names.
"""

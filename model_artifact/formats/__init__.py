"""Formats of the files in an artifact, each checked by what is in the file and not by its name alone.

A check reads a `Content` and refuses with a sentence. None of them builds an object of a file's choosing.
"""

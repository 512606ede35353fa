"""Calls: recordings are transcribed, and of a transcript the customer's words become one feedback."""

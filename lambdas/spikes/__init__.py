"""Watches the counters of all products, and says once when one of them goes wrong.

Runs on a schedule, one at a time. A run that fails has said nothing, or something that the next run says again under
the same id.
"""

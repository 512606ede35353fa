"""Finds products whose share of negative feedback is unusual, among many products, looked at again and again.

``baseline`` says what is usual for a product, ``season`` how that goes up and down with the hour and the weekday,
``evidence`` weighs what came against it, ``watch`` remembers a product, and ``judging`` decides over all of them. How
it works and what it cannot see: docs/trends.md. Standard library only; it does not know where counters are kept.
"""

"""Who hears of what: the policy as data, what it decides, in which words it is told, and what becomes of an alert.

Pure: it knows no clock, no store and no destination's protocol.
"""

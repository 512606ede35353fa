"""Personal data put through the product: how much of it redaction finds, how much else it takes, and whether any of
what is found can still be read outside the store of originals.

The values are made from what standards and makers publish of their formats (ISO/IEC 7812, ISO 13616, E.123, RFC 4122,
numbering plans, the makers' key prefixes), never from the detectors' expressions: a form that only the generator knows
counts as missed.
"""

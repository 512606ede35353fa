"""Counts decided feedback by product, category, channel and hour, once, and keeps the review queue.

The event source mapping is to pass records whose new image is decided, and to split a batch that fails. A batch that
comes again, in part or in another order, changes nothing.
"""

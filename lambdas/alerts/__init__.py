"""Decides who hears of a negative feedback, once, from the ledger's stream.

The event source mapping is to pass decided records; what was told of before is skipped. ``ReportBatchItemFailures`` is
needed: the first record whose alert could not be begun or queued comes again, with those after it.
"""

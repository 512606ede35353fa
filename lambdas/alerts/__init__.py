"""Tells somebody about negative feedback, once, from the ledger's stream.

The event source mapping is to pass records whose new image is CLASSIFIED or CORRECTED and has no ``alert``; it is to
retry for as long as the records live, and to split a batch that fails. An unsent alert fails the whole invocation, so
``ReportBatchItemFailures`` is not needed: what was sent is skipped the next time.
"""

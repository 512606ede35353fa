"""Raises what the policy asks of other systems after a feedback, as events: noted first, in a dry run noted only.

The event source mapping is to pass decided records. ``ReportBatchItemFailures`` is needed.
"""

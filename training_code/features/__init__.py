"""Reviews from the lake to training, validation and test rows, and a report of what was dropped.

One definition (`selection`, `near_duplicates`) runs on DuckDB and on Spark. Knows nothing of models.
"""

"""Files of feedback that partners drop: CSV, JSON Lines and Parquet, read row by row, bad rows counted by number."""

"""The thin adapter between ministack and what this project adds to it. Only ``seams`` touches ministack's names."""

"""The programs inside a candidate's containers: copied into its archives, and run with numpy and the standard library.

The modules find one another by their plain names there, as they lie side by side in an archive's ``code/``.
"""

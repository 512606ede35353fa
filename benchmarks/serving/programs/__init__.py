"""Programs that other interpreters run by path. None of them imports this project but what its docstring says."""

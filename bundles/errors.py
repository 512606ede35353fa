"""What stops a build, in one sentence that says what to do. It knows nothing else."""


class BuildError(Exception):
    """A bundle cannot be built; the message says why and what helps."""

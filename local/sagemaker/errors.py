"""The errors a caller of the local SageMaker can get, with AWS's codes. Knows nothing of transports."""


class AwsError(Exception):
    """One refused request: ``code`` and ``message`` as AWS words them, ``status`` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def validation(message: str) -> AwsError:
    """What SageMaker answers to a request that is wrong in itself or names a thing that is not there."""
    return AwsError("ValidationException", message)

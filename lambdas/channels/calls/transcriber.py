"""Amazon Transcribe: starts one job per version of a recording, however often it is asked to.

Transcribe reads the recording and writes the transcript with the rights of the function that starts the job. It does
not know what becomes of the transcript.
https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartTranscriptionJob.html
"""

from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from lambdas.aws.clients import Client
from lambdas.channels.drop import Dropped

_SPEAKERS: Final = 4  # the most that are told apart: customer, agent, and who a call is handed over to


def job_name(recording: Dropped) -> str:
    """The name of the job of this version of a recording."""
    return f"earshot-{recording.identity}"


class RecordingRefusedError(ValueError):
    """Transcribe will never take this recording; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Transcriber:
    """Starts jobs that write their transcripts beside the recordings."""

    def __init__(self, *, transcribe: Client, languages: Sequence[str], separates_channels: bool, key_id: str) -> None:
        self._transcribe = transcribe
        self._languages = languages
        self._separates_channels = separates_channels
        self._key_id = key_id

    def start(self, recording: Dropped, *, media_format: str, output: str) -> bool:
        """Start the recording's job, which writes to the key ``output``; False where it was started before."""
        try:
            self._transcribe.start_transcription_job(
                TranscriptionJobName=job_name(recording),
                Media={"MediaFileUri": f"s3://{recording.bucket}/{recording.key}"},
                MediaFormat=media_format,
                OutputBucketName=recording.bucket,
                OutputKey=output,
                OutputEncryptionKMSKeyId=self._key_id,
                Settings=self._speakers(),
                **self._language(),
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConflictException":
                return False
            if code == "BadRequestException":
                raise RecordingRefusedError(code) from error
            raise
        return True

    def _speakers(self) -> dict[str, Any]:
        if self._separates_channels:
            return {"ChannelIdentification": True}
        return {"ShowSpeakerLabels": True, "MaxSpeakerLabels": _SPEAKERS}

    def _language(self) -> dict[str, Any]:
        if len(self._languages) == 1:
            return {"LanguageCode": self._languages[0]}
        return {"IdentifyLanguage": True, "LanguageOptions": list(self._languages)}

"""One training job: channels in, the container's contract, a subprocess, artifacts out.

Runs what AWS's framework images would run in script mode, by their contract, and for a built-in algorithm the program
that stands for it; knows not what is trained, and of the job's states only when they are entered.
"""

import json
import math
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from local.sagemaker import archives, builtin, objects
from local.sagemaker.context import Context
from local.sagemaker.jobs import inputs, log_metrics, reasons, toolkit
from local.sagemaker.jobs.folder import JobFolder
from local.sagemaker.jobs.logs import LogStream
from local.sagemaker.jobs.runner import Ending, Run
from local.sagemaker.jobs.sync import FolderSync
from local.sagemaker.shapes import Fields

KIND = "training-job"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
CHECKPOINTS = "/opt/ml/checkpoints"


class Enter(Protocol):
    """Go to a secondary status, and write down what else is known by then."""

    def __call__(self, name: str, secondary: str, *, status: str | None = None, **more: Any) -> None: ...


class AlgorithmError(Exception):
    """The job's own program failed; ``reason`` is the FailureReason."""

    def __init__(self, text: str, exit_code: int) -> None:
        self.reason = reasons.algorithm_error(text, exit_code)
        super().__init__(self.reason)


class Training:
    """One job, from its inputs to its artifacts."""

    def __init__(self, context: Context, record: Fields, run: Run, enter: Enter, grace_seconds: float) -> None:
        self._record = record
        self._name: str = record["TrainingJobName"]
        self._run = run
        self._enter = enter
        self._grace_seconds = grace_seconds
        self._folder = JobFolder(context, KIND, self._name)
        self._s3 = objects.client(context, role_arn=record["RoleArn"])
        self._logs = objects.client(context, "logs", role_arn=record["RoleArn"])

    def perform(self) -> None:
        """Run the job to an end that is not a failure; AlgorithmError, InputError, Stopped or ShutDown otherwise."""
        folder = self._folder
        folder.make("input/config", "input/data", "model", "output/data", "output/intermediate", "code", "checkpoints")
        with self._run.turn():
            self._enter(self._name, "Downloading")
            channels = self._fetch_channels()
            checkpoints = self._fetch_checkpoints()
            commands, environment = self._program(channels)
            self._run.checkpoint()
            started = time.time()
            self._enter(self._name, "Training", TrainingStartTime=started)
            ending = self._execute(commands, environment, checkpoints)
            ended = time.time()
        if ending.cause == "exit" and ending.exit_code != 0:
            raise AlgorithmError(self._failure(), ending.exit_code)
        self._enter(self._name, "Uploading")
        artifacts = self._upload()
        seconds = max(1, math.ceil(ended - started))
        final, status = _final(ending)
        self._enter(
            self._name,
            final,
            status=status,
            ModelArtifacts={"S3ModelArtifacts": artifacts},
            TrainingEndTime=time.time(),
            TrainingTimeInSeconds=seconds,
            BillableTimeInSeconds=seconds,
            FinalMetricDataList=self._metrics(),
        )
        folder.clear()

    def _fetch_channels(self) -> dict[str, Path]:
        channels: dict[str, Path] = {}
        for channel in self._record.get("InputDataConfig", []):
            self._run.checkpoint()
            source = channel["DataSource"]["S3DataSource"]
            place = self._folder.opt_ml / "input" / "data" / channel["ChannelName"]
            inputs.fetch(source["S3Uri"], place, data_type=source["S3DataType"], s3=self._s3)
            channels[channel["ChannelName"]] = place
        return channels

    def _fetch_checkpoints(self) -> FolderSync | None:
        config = self._record.get("CheckpointConfig")
        if not config:
            return None
        try:
            place = self._folder.place(config.get("LocalPath", CHECKPOINTS))
            place.mkdir(parents=True, exist_ok=True)
            objects.download_prefix(config["S3Uri"].rstrip("/") + "/", place, s3=self._s3)
            return FolderSync(place, config["S3Uri"], s3=self._s3)
        except (objects.ObjectError, ValueError) as error:
            raise inputs.InputError(f"CheckpointConfig: {error}") from error

    def _program(self, channels: dict[str, Path]) -> tuple[list[list[str]], dict[str, str]]:
        """The commands to run one after the other, and their environment."""
        record, folder = self._record, self._folder
        entrypoint = record["AlgorithmSpecification"].get("ContainerEntrypoint")
        algorithm = builtin.program_for(record["AlgorithmSpecification"].get("TrainingImage", ""))
        if algorithm and not entrypoint:
            self._write_config()
            more = {**record.get("Environment", {}), "PYTHONPATH": str(builtin.ROOT), "TRAINING_JOB_NAME": self._name}
            words = [folder.python(), "-m", algorithm.module, "--opt-ml", str(folder.opt_ml)]
            return [words], folder.environment(more.items(), role_arn=record["RoleArn"])
        localised = {name: folder.localised(value) for name, value in record.get("HyperParameters", {}).items()}
        own, platform = toolkit.split(toolkit.decoded(localised))
        given = record.get("Environment", {})
        program = str(platform.get("sagemaker_program") or given.get("SAGEMAKER_PROGRAM") or "")
        code = folder.opt_ml / "code"
        if not entrypoint:
            directory = platform.get("sagemaker_submit_directory") or given.get("SAGEMAKER_SUBMIT_DIRECTORY")
            self._fetch_code(program, str(directory or ""), code)
        around = toolkit.Surroundings(
            opt_ml=folder.opt_ml,
            code=code,
            program=program,
            job_name=self._name,
            instance_type=record["ResourceConfig"].get("InstanceType", "local"),
            gpus=len(list(Path("/dev").glob("nvidia[0-9]*"))),
            channels=channels,
            input_config=self._write_config(),
        )
        more = {**given, **toolkit.environment(around, own, platform)}
        environment = folder.environment(more.items(), role_arn=self._record["RoleArn"])
        if entrypoint:
            words = [*entrypoint, *record["AlgorithmSpecification"].get("ContainerArguments", [])]
            return [[folder.localised(word) for word in words]], environment
        commands = [toolkit.command(folder.python(), program, toolkit.arguments(own))]
        if (code / "requirements.txt").is_file():
            commands.insert(0, [folder.python(), "-m", "pip", "install", "--quiet", "-r", "requirements.txt"])
        return commands, environment

    def _fetch_code(self, program: str, directory: str, code: Path) -> None:
        if not program or not directory:
            raise inputs.InputError(
                "the local SageMaker runs no container images, only script mode and the built-in algorithms that have "
                "a stand-in here: the hyperparameters sagemaker_program and sagemaker_submit_directory are needed"
            )
        source = Path(self._folder.localised(directory))
        try:
            if directory.startswith("s3://"):
                source = self._folder.root / "tmp" / "sourcedir.tar.gz"
                objects.download(directory, source, s3=self._s3)
            if source.is_dir():
                shutil.copytree(source, code, dirs_exist_ok=True)
            else:
                archives.unpack(source, code)
        except (objects.ObjectError, ValueError) as error:
            raise inputs.InputError(f"sagemaker_submit_directory {directory}: {error}") from error

    def _write_config(self) -> Fields:
        """The three files that every SageMaker container finds in /opt/ml/input/config."""
        channels = {
            channel["ChannelName"]: {
                "TrainingInputMode": channel.get("InputMode", "File"),
                "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                    "S3DataDistributionType", "FullyReplicated"
                ),
                "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            }
            for channel in self._record.get("InputDataConfig", [])
        }
        files = {
            "hyperparameters": self._record.get("HyperParameters", {}),
            "inputdataconfig": channels,
            "resourceconfig": {
                "current_host": toolkit.HOST,
                "hosts": [toolkit.HOST],
                "network_interface_name": "lo",
            },
        }
        for name, content in files.items():
            (self._folder.opt_ml / "input" / "config" / f"{name}.json").write_text(json.dumps(content))
        return channels

    def _execute(
        self, commands: list[list[str]], environment: dict[str, str], checkpoints: FolderSync | None
    ) -> Ending:
        deadline = time.monotonic() + self._record["StoppingCondition"]["MaxRuntimeInSeconds"]
        stream = f"{self._name}/{toolkit.HOST}-{int(time.time())}"
        ending = Ending(exit_code=0, cause="exit")
        with ExitStack() as stack:
            stack.enter_context(LogStream(self._logs, group=LOG_GROUP, stream=stream, path=self._folder.log))
            if checkpoints:
                stack.enter_context(checkpoints)
            for command in commands:
                ending = self._run.execute(
                    command,
                    env=environment,
                    cwd=self._folder.opt_ml / "code",
                    log=self._folder.log,
                    timeout_seconds=deadline - time.monotonic(),
                    grace_seconds=self._grace_seconds,
                )
                if ending.cause != "exit" or ending.exit_code != 0:
                    break
        if checkpoints:
            checkpoints.upload()
        return ending

    def _failure(self) -> str:
        written = reasons.message(self._folder.opt_ml / "output" / "failure")
        return written or f"ExecuteUserScriptError: {reasons.last_error(self._folder.log)}"

    def _upload(self) -> str:
        """Store the model and the other outputs; the model's address."""
        output, opt_ml = self._record["OutputDataConfig"], self._folder.opt_ml
        target = objects.Address.parse(output["S3OutputPath"]).below(self._name, "output")
        data = opt_ml / "output" / "data"
        if output.get("CompressionType") == "NONE":
            objects.upload_tree(opt_ml / "model", str(target.below("model")), s3=self._s3)
            objects.upload_tree(data, str(target.below("data")), s3=self._s3)
            return f"{target.below('model')}/"
        if any(data.iterdir()):
            self._upload_packed(data, target.below("output.tar.gz"))
        self._upload_packed(opt_ml / "model", target.below("model.tar.gz"))
        return str(target.below("model.tar.gz"))

    def _upload_packed(self, folder: Path, target: objects.Address) -> None:
        packed = self._folder.root / "tmp" / target.key.rsplit("/", 1)[-1]
        archives.pack(folder, packed)
        objects.upload(packed, str(target), s3=self._s3)

    def _metrics(self) -> list[Fields]:
        """The last value of each metric that the job's definitions find in its log."""
        text = self._folder.log.read_text("utf-8", "replace")
        now = time.time()
        found: list[Fields] = []
        for definition in self._record["AlgorithmSpecification"].get("MetricDefinitions", []):
            values = log_metrics.values(definition["Regex"], text)
            if values:
                found.append({"MetricName": definition["Name"], "Value": values[-1], "Timestamp": now})
        return found


def _final(ending: Ending) -> tuple[str, str]:
    """The last secondary status and status of a job whose program has not failed."""
    if ending.cause == "timeout":
        return "MaxRuntimeExceeded", "Stopped"
    if ending.cause == "stop":
        return "Stopped", "Stopped"
    return "Completed", "Completed"

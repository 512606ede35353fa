"""Processing jobs: an entrypoint in a subprocess, with S3 on both sides.

Every ``/opt/ml`` in the entrypoint, its arguments and its environment becomes the job's own folder, and ``python3``
is the training interpreter, or Spark's with AWS's Spark image. Of images it knows only those of AWS that have a
stand-in: what another image alone would bring is not here.
"""

import json
import logging
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from local.sagemaker import builtin, objects
from local.sagemaker.context import Context
from local.sagemaker.errors import AwsError, validation
from local.sagemaker.jobs import inputs, reasons
from local.sagemaker.jobs.folder import JobFolder
from local.sagemaker.jobs.logs import LogStream
from local.sagemaker.jobs.records import RESTARTED, JobRecords
from local.sagemaker.jobs.runner import Ending, Run, Runner, ShutDown, Stopped
from local.sagemaker.jobs.sync import FolderSync
from local.sagemaker.jobs.toolkit import HOST
from local.sagemaker.resources import Kind, Operations, Records
from local.sagemaker.shapes import Fields, is_operation
from local.sagemaker.tags import Tags

_log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
EVENT = "SageMaker Processing Job State Change"
DEFAULT_RUNTIME_SECONDS = 86_400
ROOT = "/opt/ml/processing"
# A command of the image, by no word in the environment: PYTHONPATH would reach the job's own program.
_CALL = "import sys; sys.path.insert(0, {root!r}); from {module} import main; sys.exit(main(sys.argv[1:]))"

PROCESSING_JOB = Kind(
    noun="ProcessingJob",
    kind="processing-job",
    missing=("ValidationException", "Could not find requested job with name: {name}"),
    taken=(
        "ResourceInUse",
        "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
    ),
)


class ProcessingJobs:
    """The operations on processing jobs, and their running."""

    def __init__(self, records: Records, tags: Tags, runner: Runner, *, grace_seconds: float) -> None:
        self._context = records.context
        self._jobs = JobRecords(PROCESSING_JOB, EVENT, records, tags)
        self._runner = runner
        self._grace_seconds = grace_seconds

    def operations(self) -> Operations:
        """What this part of SageMaker answers."""
        named: Operations = {
            "CreateProcessingJob": self.create,
            "DescribeProcessingJob": lambda request: self._jobs.find(request["ProcessingJobName"]),
            "ListProcessingJobs": self._jobs.page,
            "StopProcessingJob": self.stop,
            "DeleteProcessingJob": self._jobs.delete,
        }
        return {operation: handler for operation, handler in named.items() if is_operation(operation)}

    def start(self) -> None:
        """Note as failed what was running when the local AWS last ended."""
        for name in self._jobs.interrupted():
            self._finish(name, "Failed", FailureReason=RESTARTED)

    def create(self, request: Fields) -> Fields:
        """Write the job down and let it run."""
        _refuse_what_is_not_here(request)
        limit = {"MaxRuntimeInSeconds": DEFAULT_RUNTIME_SECONDS, **request.get("StoppingCondition", {})}
        record = self._jobs.add(request, {"StoppingCondition": limit})
        name = record["ProcessingJobName"]
        self._runner.start(PROCESSING_JOB.kind, name, lambda run: self._work(run, record))
        return {"ProcessingJobArn": record["ProcessingJobArn"]}

    def stop(self, request: Fields) -> Fields:
        """Ask the job to stop: SIGTERM, and SIGKILL when the grace is over."""
        name = request["ProcessingJobName"]
        self._jobs.begin_stop(name, lambda record: {})
        self._runner.stop(PROCESSING_JOB.kind, name)
        return {}

    def _finish(self, name: str, status: str, **more: Any) -> None:
        self._jobs.change(
            name, lambda record: {"ProcessingJobStatus": status, "ProcessingEndTime": time.time(), **more}
        )

    def _work(self, run: Run, record: Fields) -> None:
        """The job's life; every end but the local AWS's own is written down."""
        name = record["ProcessingJobName"]
        processing = _Processing(self._context, record, run, self._grace_seconds)
        try:
            with run.turn():
                processing.prepare()
                self._jobs.change(name, lambda record: {"ProcessingStartTime": time.time()})
                ending = processing.execute()
            if ending.cause == "exit" and ending.exit_code == 0:
                processing.upload()
            self._finish(name, **processing.result(ending))
            if ending.cause == "exit" and ending.exit_code == 0:
                processing.folder.clear()
        except Stopped:
            self._finish(name, "Stopped")
        except ShutDown:
            raise
        except inputs.InputError as error:
            self._fail(run, name, reasons.other_error("ClientError", str(error)))
        except Exception as error:
            if not run.is_closing:
                _log.exception("processing job %s failed outside its program", name)
            self._fail(run, name, reasons.other_error("InternalServerError", f"{type(error).__name__}: {error}"))

    def _fail(self, run: Run, name: str, reason: str) -> None:
        if run.is_closing:
            raise ShutDown
        self._finish(name, "Failed", FailureReason=reason)


class _Processing:
    """One job, from its inputs to its outputs."""

    def __init__(self, context: Context, record: Fields, run: Run, grace_seconds: float) -> None:
        self._program = builtin.program_for(record["AppSpecification"]["ImageUri"])
        on_spark = self._program is not None and self._program.python == "spark"
        self._lacks_spark = on_spark and context.spark_python is None
        self.folder = JobFolder(
            context,
            PROCESSING_JOB.kind,
            record["ProcessingJobName"],
            python=context.spark_python if on_spark else None,
        )
        self._record = record
        self._run = run
        self._grace_seconds = grace_seconds
        self._s3 = objects.client(context, role_arn=record["RoleArn"])
        self._logs = objects.client(context, "logs", role_arn=record["RoleArn"])
        self._syncs: list[FolderSync] = []

    def prepare(self) -> None:
        """Make the folder and bring in the inputs."""
        folder, record = self.folder, self._record
        if self._lacks_spark:
            raise inputs.InputError(
                "Spark is not installed here: there is no .venv-spark (`make .venv-spark` sets it up)"
            )
        folder.make("config", "processing", "output")
        if self._program and self._program.command:
            call = _CALL.format(root=str(builtin.ROOT), module=self._program.module)
            folder.add_command(self._program.command, [folder.python(), "-c", call, str(folder.opt_ml)])
        (folder.opt_ml / "config" / "processingjobconfig.json").write_text(json.dumps(record))
        resources = {"current_host": HOST, "hosts": [HOST], "network_interface_name": "lo"}
        (folder.opt_ml / "config" / "resourceconfig.json").write_text(json.dumps(resources))
        for given in record.get("ProcessingInputs", []):
            self._run.checkpoint()
            source = given["S3Input"]
            place = folder.place(source["LocalPath"])
            inputs.fetch(source["S3Uri"], place, data_type=source["S3DataType"], s3=self._s3)
        for output, place in self._outputs():
            place.mkdir(parents=True, exist_ok=True)
            if output["S3UploadMode"] == "Continuous":
                self._syncs.append(FolderSync(place, output["S3Uri"], s3=self._s3))
        self._run.checkpoint()

    def execute(self) -> Ending:
        """Run the entrypoint to its end."""
        record, folder = self._record, self.folder
        environment = dict(record.get("Environment", {}))
        words = self._words(record["AppSpecification"])
        if not record["AppSpecification"].get("ContainerEntrypoint"):
            environment["PYTHONPATH"] = str(builtin.ROOT)
        stream = f"{record['ProcessingJobName']}/{HOST}-{int(time.time())}"
        with ExitStack() as stack:
            stack.enter_context(LogStream(self._logs, group=LOG_GROUP, stream=stream, path=folder.log))
            for sync in self._syncs:
                stack.enter_context(sync)
            return self._run.execute(
                [folder.localised(word) for word in words],
                env=folder.environment(environment.items(), role_arn=record["RoleArn"]),
                cwd=folder.root,
                log=folder.log,
                timeout_seconds=record["StoppingCondition"]["MaxRuntimeInSeconds"],
                grace_seconds=self._grace_seconds,
            )

    def _words(self, application: Fields) -> list[str]:
        """The command line: the request's own, else that of the image's stand-in."""
        arguments = application.get("ContainerArguments", [])
        if application.get("ContainerEntrypoint"):
            return [*application["ContainerEntrypoint"], *arguments]
        assert self._program is not None  # Otherwise the request was refused.
        return [self.folder.python(), "-m", self._program.module, "--opt-ml", str(self.folder.opt_ml), *arguments]

    def upload(self) -> None:
        """Store the outputs."""
        for sync in self._syncs:
            sync.upload()
        for output, place in self._outputs():
            if output["S3UploadMode"] == "EndOfJob":
                objects.upload_tree(place, output["S3Uri"], s3=self._s3)

    def result(self, ending: Ending) -> Fields:
        """What the job's end says of it: its status, and why where it did not complete."""
        written = reasons.message(self.folder.opt_ml / "output" / "message")
        said = {"ExitMessage": written} if written else {}
        if ending.cause == "stop":
            return {"status": "Stopped", **said}
        if ending.cause == "timeout":
            limit = self._record["StoppingCondition"]["MaxRuntimeInSeconds"]
            reason = f"ClientError: the job ran longer than its MaxRuntimeInSeconds of {limit}"
            return {"status": "Stopped", "FailureReason": reason, **said}
        if ending.exit_code != 0:
            reason = reasons.algorithm_error(written or reasons.last_error(self.folder.log), ending.exit_code)
            return {"status": "Failed", "FailureReason": reason, **said}
        return {"status": "Completed", **said}

    def _outputs(self) -> list[tuple[Fields, Path]]:
        outputs = self._record.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return [(output["S3Output"], self.folder.place(output["S3Output"]["LocalPath"])) for output in outputs]


def _refuse_what_is_not_here(request: Fields) -> None:
    program = builtin.program_for(request["AppSpecification"]["ImageUri"])
    if not request["AppSpecification"].get("ContainerEntrypoint") and (program is None or program.command):
        raise validation(
            "The local SageMaker runs no container images: AppSpecification.ContainerEntrypoint is needed."
        )
    instances = request["ProcessingResources"].get("ClusterConfig", {}).get("InstanceCount", 1)
    if instances > 1 and not (program and program.is_cluster):
        raise AwsError("ResourceLimitExceeded", "The local SageMaker runs a job on one instance: InstanceCount is 1.")
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    parts = [(given["InputName"], given.get("S3Input")) for given in request.get("ProcessingInputs", [])]
    parts += [(output["OutputName"], output.get("S3Output")) for output in outputs]
    if len({name for name, _ in parts[: len(parts) - len(outputs)]}) != len(parts) - len(outputs):
        raise validation("Input names must be unique within a processing job.")
    for name, place in parts:
        if not place:
            raise validation(f"{name}: the local SageMaker has S3 inputs and outputs only.")
        path = place.get("LocalPath", "")
        if ".." in Path(path).parts or not f"{path}/".startswith(f"{ROOT}/"):
            raise validation(f"{name}: LocalPath {path!r} must be below {ROOT}.")
        if place.get("S3InputMode", "File") != "File" or place.get("S3CompressionType", "None") != "None":
            raise validation(f"{name}: the local SageMaker has File mode without decompression only.")

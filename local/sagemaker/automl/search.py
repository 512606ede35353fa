"""One AutoML job at work: channels in, the search as a subprocess, what it tells taken down, archives and reports out.

Knows the program's files (``progress.jsonl`` and folders) and where Autopilot lays its output; of the job's states only
when they are entered.
"""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.sagemaker import archives, builtin, objects
from local.sagemaker.automl import candidates
from local.sagemaker.automl.candidates import Candidates
from local.sagemaker.automl.requests import search_request
from local.sagemaker.context import Context
from local.sagemaker.jobs import inputs, reasons
from local.sagemaker.jobs.folder import JobFolder
from local.sagemaker.jobs.logs import LogStream
from local.sagemaker.jobs.runner import Ending, Run
from local.sagemaker.jobs.toolkit import HOST
from local.sagemaker.shapes import Fields

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
MODULE = "local.sagemaker.builtin.autopilot"
SERVING = builtin.ROOT / "local" / "sagemaker" / "builtin" / "autopilot_serving"
# What lies beside the program in each archive's code/.
PROCESSOR_CODE = ("sagemaker_serve.py", "features.py", "matrix.py", "answers.py")
ALGORITHM_CODE = ("inference.py", "classifier.py", "matrix.py", "answers.py")
FOLLOW_SECONDS = 0.2
REPORTING_SECONDS = 600.0
"""After the search's own limit: for the reports on the best candidate."""

# (secondary status, more members of the record)
Enter = Callable[..., None]


class SearchError(Exception):
    """The search failed; the message is the FailureReason."""


class Search:
    """One job, from its channels to its reports."""

    def __init__(
        self,
        context: Context,
        record: Fields,
        run: Run,
        *,
        kept: Candidates,
        enter: Enter,
        grace_seconds: float,
    ) -> None:
        self._context = context
        self._record = record
        self._name: str = record["AutoMLJobName"]
        self._run = run
        self._kept = kept
        self._enter = enter
        self._grace_seconds = grace_seconds
        self._folder = JobFolder(context, "automl-job", self._name)
        self._output = self._folder.opt_ml / "output"
        self._target = objects.Address.parse(record["OutputDataConfig"]["S3OutputPath"]).below(self._name)
        self._s3 = objects.client(context, role_arn=record["RoleArn"])
        self._logs = objects.client(context, "logs", role_arn=record["RoleArn"])
        self._objective = ""
        self._last = "Completed"
        self._fault: Exception | None = None

    def perform(self) -> Fields:
        """Run the job to an end that is not a failure: its last secondary status and what else is known then.

        SearchError, InputError, ObjectError, Stopped or ShutDown otherwise.
        """
        self._folder.make("input/config", "output")
        request = search_request(self._record)
        (self._folder.opt_ml / "input" / "config" / "request.json").write_text(json.dumps(request))
        arguments = ["--request", "/opt/ml/input/config/request.json", "--output", "/opt/ml/output"]
        for channel in self._record["AutoMLJobInputDataConfig"]:
            self._run.checkpoint()
            name, source = channel.get("ChannelType", "training"), channel["DataSource"]["S3DataSource"]
            place = self._folder.opt_ml / "input" / "data" / name
            inputs.fetch(source["S3Uri"], place, data_type=source["S3DataType"], s3=self._s3)
            arguments += [f"--{name}", f"/opt/ml/input/data/{name}"]
        ending = self._execute(arguments, request["job_seconds"])
        if self._fault is not None:
            raise self._fault
        if ending.cause == "stop":
            return {"AutoMLJobStatus": "Stopped", "AutoMLJobSecondaryStatus": "Stopped"}
        if ending.cause == "timeout" or ending.exit_code != 0:
            raise SearchError(self._failure(ending))
        return {"AutoMLJobStatus": "Completed", "AutoMLJobSecondaryStatus": self._last, **self._results()}

    def clear(self) -> None:
        """Give the disk back, all but the log."""
        self._folder.clear()

    def _execute(self, arguments: list[str], job_seconds: float) -> Ending:
        words = [self._folder.python(), "-m", MODULE, *map(self._folder.localised, arguments)]
        environment = self._folder.environment([("PYTHONPATH", str(builtin.ROOT))], role_arn=self._record["RoleArn"])
        with (
            LogStream(
                self._logs, group=LOG_GROUP, stream=f"{self._name}/{HOST}-{int(time.time())}", path=self._folder.log
            ),
            _Follower(self._output / "progress.jsonl", self._take) as follower,
        ):
            ending = self._run.execute(
                words,
                env=environment,
                cwd=self._folder.root,
                log=self._folder.log,
                timeout_seconds=job_seconds + REPORTING_SECONDS,
                grace_seconds=self._grace_seconds,
            )
        self._fault = follower.fault
        return ending

    def _take(self, told: Fields) -> None:
        """Take down one line of the search's progress."""
        event, name = told["event"], str(told.get("name", ""))
        if event == "phase":
            self._enter(name)
        elif event == "resolved":
            self._objective = told["objective"]
            self._enter(None, ResolvedAttributes=self._resolved(told))
        elif event == "end":
            self._last = name
        elif event == "candidate":
            self._take_candidate(name, told)

    def _resolved(self, told: Fields) -> Fields:
        request = search_request(self._record)
        resolved: Fields = {
            "AutoMLJobObjective": {"MetricName": told["objective"]},
            "CompletionCriteria": {
                "MaxCandidates": request["most_candidates"],
                "MaxRuntimePerTrainingJobInSeconds": request["candidate_seconds"],
                "MaxAutoMLJobRuntimeInSeconds": request["job_seconds"],
            },
        }
        if "TabularJobConfig" in self._record["AutoMLProblemTypeConfig"]:
            tabular = {"TabularResolvedAttributes": {"ProblemType": told["problem"]}}
            resolved["AutoMLProblemTypeResolvedAttributes"] = tabular
        return resolved

    def _take_candidate(self, name: str, told: Fields) -> None:
        now = float(told["time"])
        candidate = self._kept.get(self._name, name) or candidates.begun(self._context, name, now)
        if told["status"] == "Completed":
            candidate = candidates.completed(
                candidate, objective=self._objective, scores=told["scores"], containers=self._store(name)
            )
        elif told["status"] in ("Failed", "Stopped"):
            failure = {"CandidateStatus": told["status"], "ObjectiveStatus": "Failed"}
            failure["FailureReason"] = told["error"][:1024]
            candidate = {**candidate, **failure}
        if told["status"] != "InProgress":
            candidate = {**candidate, "EndTime": now, "LastModifiedTime": now}
        self._kept.put(self._name, candidate)
        best = self._kept.best(self._name)
        self._enter(None, **({"BestCandidate": best} if best else {}))

    def _store(self, name: str) -> list[Fields]:
        """Pack and upload a candidate's two archives; its containers."""
        made = self._output / "candidates" / name
        processor = self._upload_archive(
            made / "processor", PROCESSOR_CODE, self._target.below("data-processor-models", name, "output")
        )
        algorithm = self._upload_archive(
            made / "algorithm", ALGORITHM_CODE, self._target.below("tuning", name, "output")
        )
        return candidates.containers(self._context, processor=processor, algorithm=algorithm)

    def _upload_archive(self, model: Path, code: tuple[str, ...], place: objects.Address) -> str:
        (model / "code").mkdir(exist_ok=True)
        for file in code:
            shutil.copyfile(SERVING / file, model / "code" / file)
        packed = self._folder.root / "tmp" / f"{model.parent.name}-{model.name}.tar.gz"
        archives.pack(model, packed)
        uri = str(place.below("model.tar.gz"))
        objects.upload(packed, uri, s3=self._s3)
        packed.unlink()
        return uri

    def _results(self) -> Fields:
        """Store notebooks and reports; the members that tell of them."""
        own = self._target.below("sagemaker-automl-candidates")
        objects.upload_tree(self._output / "notebooks", str(own.below("notebooks")), s3=self._s3)
        objects.upload(self._output / "leaderboard.json", str(own.below("leaderboard.json")), s3=self._s3)
        best = self._kept.best(self._name)
        assert best is not None, "the search ends well only with a candidate"
        locations = {}
        for member, folder in (("Explainability", "explainability"), ("ModelInsights", "insights")):
            place = self._target.below("documentation", folder, best["CandidateName"])
            objects.upload_tree(self._output / folder / best["CandidateName"], str(place), s3=self._s3)
            locations[member] = str(place)
        properties = {**best["CandidateProperties"], "CandidateArtifactLocations": locations}
        best = {**best, "CandidateProperties": properties}
        self._kept.put(self._name, best)
        notebooks = own.below("notebooks")
        return {
            "BestCandidate": best,
            "AutoMLJobArtifacts": {
                "CandidateDefinitionNotebookLocation": str(
                    notebooks.below("SageMakerAutopilotCandidateDefinitionNotebook.ipynb")
                ),
                "DataExplorationNotebookLocation": str(
                    notebooks.below("SageMakerAutopilotDataExplorationNotebook.ipynb")
                ),
            },
        }

    def _failure(self, ending: Ending) -> str:
        if ending.cause == "timeout":
            return "InternalServerError: the search did not end within its own limits"
        written = reasons.message(self._output / "failure")
        if written:
            return reasons.other_error("ClientError", written)
        return reasons.algorithm_error(reasons.last_error(self._folder.log), ending.exit_code)


class _Follower:
    """Hands over each line of a growing file while entered, and the rest at the end. The first fault ends it."""

    def __init__(self, path: Path, take: Callable[[dict[str, Any]], None]) -> None:
        self.fault: Exception | None = None
        self._path = path
        self._take = take
        self._read = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"progress {path}", daemon=True)

    def __enter__(self) -> "_Follower":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _follow(self) -> None:
        try:
            while not self._done.wait(FOLLOW_SECONDS):
                self._take_new()
            self._take_new()
        except Exception as error:
            self.fault = error

    def _take_new(self) -> None:
        if not self._path.is_file():
            return
        with self._path.open("rb") as stream:
            stream.seek(self._read)
            grown = stream.read()
        complete = grown[: grown.rfind(b"\n") + 1]
        self._read += len(complete)
        for line in complete.splitlines():
            self._take(json.loads(line))

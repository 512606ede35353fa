"""The first half of a run: its input, the crawl of the lake, and the features, on one machine or on Spark."""

import json

from stacks.constructs.pipeline.addresses import PipelineAddresses, PipelineDefaults
from stacks.constructs.pipeline.jobs import (
    EXIT_MESSAGE,
    PROCESSING,
    channel,
    job_input,
    job_output,
    processing_job,
    script_mode,
)
from stacks.constructs.pipeline.states import THROTTLED, State, failure_of

CANDIDATES_STATE = "Candidates"
# Names of jobs end at 63 characters, those of a tuning job and of Autopilot at 32. An execution that a schedule starts
# is named by two identifiers, so such a run is named after its moment, as the command line names its own.
RUN_NAME = (
    "{% $contains($states.context.Execution.Name, /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,13}[a-zA-Z0-9])?$/) "
    "? $states.context.Execution.Name "
    ": $fromMillis($toMillis($states.context.Execution.StartTime), '[Y0001][M01][D01]-[H01][m01][s01]') %}"
)


def inputs(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    names = json.dumps(list(defaults.candidates))
    return {
        "Defaults": {
            "Type": "Pass",
            "Assign": {
                "run": RUN_NAME,
                "defaultHyperparameters": dict(sorted(_hyperparameters(defaults).items())),
                "scriptMode": script_mode(to),
            },
            "Next": "Input",
        },
        "Input": {
            "Type": "Pass",
            "Assign": {
                "reviewsPrefix": (
                    f"{{% $states.input.reviews_prefix ? $states.input.reviews_prefix : '{defaults.reviews_prefix}' %}}"
                ),
                "maxRows": f"{{% $states.input.max_rows ? $string($states.input.max_rows) : '{defaults.max_rows}' %}}",
                "hyperparameters": (
                    "{% $merge([$defaultHyperparameters, $states.input.hyperparameters, $scriptMode]) %}"
                ),
                "candidates": f"{{% $exists($states.input.candidates) ? $states.input.candidates : {names} %}}",
            },
            "Next": "CanServe",
        },
        "CanServe": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% 'bert' in $candidates or 'tuned' in $candidates %}", "Next": "StartCrawler"}],
            "Default": "NothingToServe",
        },
        "NothingToServe": {
            "Type": "Fail",
            "Error": "InputRefused",
            "Cause": "{% 'Run ' & $run & ' asks for no candidate that can be served: name bert or tuned among them' %}",
        },
    }


def _hyperparameters(defaults: PipelineDefaults) -> dict[str, str]:
    """The stage's own; where it balances by weights, training weighs the three classes as `features.json` states."""
    weighed = {"class-weights": "balanced", "targets": "sentiments"} if defaults.balance == "weights" else {}
    return {**defaults.hyperparameters, **weighed}


def crawl(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    """A crawl that was already running may have passed over the newest rows, so it is waited for and repeated."""
    return {
        "StartCrawler": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:startCrawler",
            "Arguments": {"Name": to.crawler},
            "Retry": [THROTTLED],
            "Catch": [
                {"ErrorEquals": ["Glue.CrawlerRunningException"], "Next": "WaitForOtherCrawl"},
                failure_of("Crawl", leads_to="StepFailed"),
            ],
            "Next": "WaitForCrawler",
        },
        "WaitForOtherCrawl": {"Type": "Wait", "Seconds": defaults.poll_seconds, "Next": "StartCrawler"},
        "WaitForCrawler": {"Type": "Wait", "Seconds": defaults.poll_seconds, "Next": "GetCrawler"},
        "GetCrawler": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:glue:getCrawler",
            "Arguments": {"Name": to.crawler},
            "Retry": [THROTTLED],
            "Catch": [failure_of("Crawl", leads_to="StepFailed")],
            "Output": {
                "state": "{% $states.result.Crawler.State %}",
                # A crawler in its first crawl has no last one yet.
                "status": (
                    "{% $exists($states.result.Crawler.LastCrawl.Status) ? "
                    "$states.result.Crawler.LastCrawl.Status : 'NEVER' %}"
                ),
                "message": (
                    "{% $states.result.Crawler.LastCrawl.ErrorMessage ? "
                    "$states.result.Crawler.LastCrawl.ErrorMessage : 'the crawler gave no reason' %}"
                ),
            },
            "Next": "CrawlerDone",
        },
        "CrawlerDone": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.state != 'READY' %}", "Next": "WaitForCrawler"},
                {"Condition": "{% $states.input.status = 'SUCCEEDED' %}", "Next": "Features"},
            ],
            "Default": "CrawlFailed",
        },
        "CrawlFailed": {
            "Type": "Fail",
            "Error": "CrawlFailed",
            "Cause": "{% 'The crawler did not succeed: ' & $states.input.message %}",
        },
    }


def features(to: PipelineAddresses, defaults: PipelineDefaults) -> dict[str, State]:
    """The rows, their report, and the views of them that candidates and Clarify read."""
    folder = f"{{% '{to.lake}curated/features/' & $run & '/' %}}"
    fixed = [
        "training_code.features",
        "--input",
        f"{PROCESSING}/input/reviews",
        "--output",
        f"{PROCESSING}/output",
        "--balance",
        defaults.balance,
        "--seed",
        str(defaults.seed),
        "--message",
        EXIT_MESSAGE,
    ]
    catch = failure_of("Features", leads_to="StepFailed")
    reviews = [job_input("reviews", f"{{% '{to.lake}' & $reviewsPrefix %}}")]
    outputs = [job_output("features", folder, f"{PROCESSING}/output")]
    if defaults.features_engine == "duckdb":
        job = processing_job(
            to,
            defaults,
            step="features",
            arguments=_with_max_rows([*fixed, "--views"]),
            inputs=reviews,
            outputs=outputs,
            catch=catch,
            then={"Output": {}, "Next": "Channels"},
        )
        return {"Features": job}
    views = processing_job(
        to,
        defaults,
        step="views",
        arguments=[
            *("training_code.candidates.views", "--features", f"{PROCESSING}/input/features"),
            *("--output", f"{PROCESSING}/output", "--message", EXIT_MESSAGE),
        ],
        inputs=[job_input("features", folder)],
        outputs=[
            job_output("views", f"{{% '{to.lake}curated/features/' & $run & '/views/' %}}", f"{PROCESSING}/output")
        ],
        catch=failure_of("Views", leads_to="StepFailed"),
        then={"Output": {}, "Next": "Channels"},
    )
    job = processing_job(
        to,
        defaults,
        step="features",
        spark_script=SPARK_SCRIPT,
        arguments=_with_max_rows([*fixed, "--engine", "spark"]),
        inputs=reviews,
        outputs=outputs,
        catch=catch,
        then={"Output": {}, "Next": "Views"},
    )
    return {"Features": job, "Views": views}


# The container starts its cluster from smspark's command line, which takes a file and no module. Each node runs this,
# so that the code is at the same place on all of them. What only training needs is not installed.
SPARK_SCRIPT = (
    f"set -e; cd {PROCESSING}; mkdir -p work; cd work; tar -xzf ../input/code/*.gz; "
    "grep -E '^(duckdb|ibis|sqlglot|pyarrow|jinja|markup|matplot)' requirements.txt >r; "
    'python3 -m pip install -qr r; exec smspark-submit training_code/features/submit.py "$@"'
)


def _with_max_rows(arguments: list[str]) -> str:
    return f"{{% $append({json.dumps(arguments)}, $number($maxRows) > 0 ? ['--max-rows', $maxRows] : []) %}}"


def channels(to: PipelineAddresses) -> dict[str, State]:
    """The rows, and the base model where the hyperparameter `base` names an artifact rather than a hub id."""
    return {
        "Channels": {
            "Type": "Pass",
            "Assign": {
                "channels": [
                    channel(name, f"{{% '{to.lake}curated/features/' & $run & '/{name}/' %}}", "application/x-parquet")
                    for name in ("train", "validation")
                ],
            },
            "Next": "BaseModel",
        },
        "BaseModel": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": "{% $substring($hyperparameters.base, 0, 5) = 's3://' %}",
                    "Assign": {
                        "baseChannel": channel("base", "{% $hyperparameters.base %}", "application/octet-stream")
                    },
                    "Next": CANDIDATES_STATE,
                }
            ],
            "Assign": {"baseChannel": False},
            "Default": CANDIDATES_STATE,
        },
    }

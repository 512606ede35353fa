"""Puts the adapter together: which parts go onto which seam, and their life from start to close."""

from typing import Any

from local.aws import (
    alarms,
    athena,
    auto_delete,
    autoscaling,
    bucket_deployment,
    inert,
    metrics,
    sagemaker,
    sagemaker_types,
    seams,
    stepfunctions,
    target_tracking,
    types,
)
from local.aws.crawler import crawling
from local.aws.iam import AccessControl
from local.aws.repairs import (
    apigateway,
    cloudwatch,
    dynamodb,
    functions,
    request_validation,
    s3,
    topics,
    workflows,
)
from local.options import Options


class LocalAws:
    """Everything that this project adds to ministack, in one process with it."""

    def __init__(self, options: Options) -> None:
        access = AccessControl(options.data_dir) if options.iam else None
        self._sagemaker, self._events = sagemaker.start(options, access.credentials if access else None)
        self._autoscaling = autoscaling.ApplicationAutoScaling(options.data_dir / "autoscaling.sqlite3")
        sagemaker.register(self._sagemaker)
        sagemaker_types.register(self._sagemaker.call)
        autoscaling.register(self._autoscaling)
        target_tracking.register(self._autoscaling, self._sagemaker.call)
        stepfunctions.register(self._sagemaker.call, seams.sdk_services())
        crawling.register()
        athena.register()
        metrics.register()
        alarms.register()
        request_validation.register()
        calling_back = frozenset[str]().union(
            sagemaker_types.RESOURCE_TYPES,
            types.register(),
            auto_delete.register(),
            bucket_deployment.register(),
            apigateway.register(),
            cloudwatch.register(),
            dynamodb.register(),
            functions.register(),
            topics.register(),
            workflows.register(),
            s3.register(),
        )
        seams.provision_on_worker_threads(calling_back.__contains__)
        seams.observe_provisioning(inert.report)
        if access:
            access.register()
        seams.keep_streams()
        seams.tighten_lambda_workers()
        seams.name_lambda_errors()
        seams.find_nothing_in_absent_branches()

    def start(self) -> None:
        """Once requests are answered: what was hosted before is hosted again, what was cut off has failed."""
        crawling.recover()
        self._sagemaker.start()

    def close(self) -> None:
        """End containers and jobs; nothing is left running."""
        self._sagemaker.close()
        self._events.shutdown(wait=False, cancel_futures=True)
        self._autoscaling.close()

    def processes(self) -> list[tuple[int, str]]:
        """Process id and meaning of every child."""
        return [*self._sagemaker.processes(), *((pid, f"lambda {name}") for pid, name in seams.lambda_processes())]

    def endpoints(self) -> list[dict[str, Any]]:
        """Name and status of every hosted endpoint."""
        listed = self._sagemaker.call("ListEndpoints", {})["Endpoints"]
        return [{"name": each["EndpointName"], "status": each["EndpointStatus"]} for each in listed]

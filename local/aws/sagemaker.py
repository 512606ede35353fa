"""The local SageMaker as a service of the local AWS: requests, events and processes. Knows none of its operations."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from local.aws import alarms, metrics, seams
from local.aws.seams import Answer
from local.environment import ACCOUNT, REGION
from local.options import Options
from local.sagemaker.context import Context, Credentials
from local.sagemaker.service import SageMaker

# Every request may call back into the local AWS, so these threads are never ministack's own pool.
_REQUEST_THREADS = 128

# An event rule may wait for a Lambda function; SageMaker's own threads do not.
_EVENT_THREADS = 4


def start(options: Options, credentials: Credentials | None) -> tuple[SageMaker, ThreadPoolExecutor]:
    """The service, not yet hosting anything, and the threads that deliver its events.

    Jobs work with the ``credentials`` of their roles; None where roles are not judged.
    """
    events = ThreadPoolExecutor(_EVENT_THREADS, thread_name_prefix="sagemaker-events")

    def publish(source: str, detail_type: str, detail: dict[str, Any]) -> None:
        events.submit(seams.put_aws_event, ACCOUNT, REGION, source, detail_type, detail)

    context = Context(
        home=options.data_dir / "sagemaker",
        endpoint_url=options.endpoint_url,
        serving_python=options.serving_python,
        training_python=options.training_python,
        spark_python=options.spark_python,
        jobs_at_once=options.jobs_at_once,
        region=REGION,
        account=ACCOUNT,
        publish=publish,
        measure=metrics.measure,
        alarm_states=alarms.states,
    )
    if credentials is not None:
        context = replace(context, credentials=credentials)
    return SageMaker(context), events


def register(service: SageMaker) -> None:
    """Answer everything that is signed for ``sagemaker``: control plane, runtime and feature store alike."""
    threads = ThreadPoolExecutor(_REQUEST_THREADS, thread_name_prefix="sagemaker")

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, service.handle, method, path, headers, body, query)

    seams.register_service("sagemaker", handle)

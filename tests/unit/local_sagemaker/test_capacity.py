"""Jobs' programs take turns: one after the other, in their order, and a job that waits can be stopped."""

import threading
import time
from typing import Any

import pytest

from local.options import parse
from local.sagemaker.jobs.capacity import Capacity
from local.sagemaker.jobs.runner import Run, Runner
from tests.unit.local_sagemaker.job_kit import ended, process, train, until

WAITING = "import time\nprint('up', flush=True)\ntime.sleep(60)\n"
SPAN = """
import json, os, time
start = time.time()
time.sleep(0.3)
open(os.environ["SM_MODEL_DIR"] + "/span.json", "w").write(json.dumps([start, time.time()]))
"""


class _Enough(Exception):  # noqa: N818 - an order
    pass


def test_turns_are_given_in_the_order_in_which_they_were_asked_for() -> None:
    capacity, order = Capacity(1), []
    gate = threading.Event()

    def work(number: int) -> None:
        with capacity.turn(lambda: None):
            gate.wait(5)
            order.append(number)

    threads = []
    for number in range(5):
        thread = threading.Thread(target=work, args=(number,))
        thread.start()
        threads.append(thread)
        time.sleep(0.02)
    gate.set()
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4]


def test_several_turns_are_held_at_once_and_no_more() -> None:
    capacity, held, most = Capacity(2), [], []

    def work() -> None:
        with capacity.turn(lambda: None):
            held.append(1)
            most.append(len(held))
            time.sleep(0.03)
            held.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert max(most) == 2


def test_who_gives_up_waiting_holds_nobody_up() -> None:
    capacity = Capacity(1)

    def give_up() -> None:
        raise _Enough

    with capacity.turn(lambda: None), pytest.raises(_Enough), capacity.turn(give_up):
        pass
    with capacity.turn(lambda: None):
        pass


def test_training_and_processing_programs_run_one_after_the_other(local_aws: Any) -> None:
    train(local_aws, SPAN, name="a")
    train(local_aws, SPAN, name="b")
    first, second = (ended(local_aws, "Training", name) for name in ("a", "b"))
    assert {first["TrainingJobStatus"], second["TrainingJobStatus"]} == {"Completed"}
    starts = sorted((job["TrainingStartTime"], job["TrainingJobName"]) for job in (first, second))
    assert starts[1][0] - starts[0][0] >= 0.3


def test_a_job_that_waits_for_its_turn_is_starting_and_can_be_stopped(local_aws: Any) -> None:
    train(local_aws, WAITING, name="a")
    until(lambda: _secondary(local_aws, "a") == "Training")
    train(local_aws, WAITING, name="b")
    process(local_aws, "true", name="c")
    time.sleep(0.2)
    assert _secondary(local_aws, "b") == "Starting"
    waiting = local_aws.client.describe_processing_job(ProcessingJobName="c")
    assert waiting["ProcessingJobStatus"] == "InProgress"
    assert "ProcessingStartTime" not in waiting
    local_aws.client.stop_training_job(TrainingJobName="b")
    assert ended(local_aws, "Training", "b")["TrainingJobStatus"] == "Stopped"
    local_aws.client.stop_training_job(TrainingJobName="a")
    assert ended(local_aws, "Processing", "c")["ProcessingJobStatus"] == "Completed"


def _secondary(local_aws: Any, name: str) -> str:
    return str(local_aws.client.describe_training_job(TrainingJobName=name)["SecondaryStatus"])


def test_how_many_jobs_run_at_once_is_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EARSHOT_JOBS", raising=False)
    assert parse([]).jobs_at_once == 1
    assert parse(["--jobs", "3"]).jobs_at_once == 3
    monkeypatch.setenv("EARSHOT_JOBS", "2")
    assert parse([]).jobs_at_once == 2


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_no_jobs_at_once_are_refused(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_JOBS", number)
    with pytest.raises(SystemExit):
        parse([])


def test_a_job_that_waits_for_another_takes_no_turn_from_it() -> None:
    """Coordinators take no turn: the runner's one turn is free while a job only waits for others."""
    runner, order = Runner(at_once=1), []
    inner_done = threading.Event()

    def coordinate(run: Run) -> None:
        runner.start("training-job", "inner", work)
        order.append(inner_done.wait(5))

    def work(run: Run) -> None:
        with run.turn():
            inner_done.set()

    runner.start("hyper-parameter-tuning-job", "outer", coordinate)
    until(lambda: order)
    runner.close()
    assert order == [True]

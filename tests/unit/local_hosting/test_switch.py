"""Many clients during a release and a container's death: every request gets its own answer, once.

EARSHOT_SWITCH_REQUESTS sets the number of requests; the full size is 10,000.
"""

import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.unit.local_hosting.hosting_kit import HostingKit, archive, wait_for

REQUESTS = int(os.environ.get("EARSHOT_SWITCH_REQUESTS", "1500"))
CLIENTS = 32

# Each container adds its mark, so that an answer says which way it came.
MARKING = """
def model_fn(model_dir): ...
def transform_fn(model, data, content_type, accept):
    return data + b"{mark}", content_type
"""


def test_no_request_is_lost_doubled_or_wrongly_answered_during_a_release_and_a_kill(kit: HostingKit) -> None:
    for name in ("old", "new"):
        kit.model(name, *(archive(MARKING.format(mark=f"|{name}{part}")) for part in (1, 2)))
    kit.endpoint("shop", kit.config("old"))
    answers: list[list[tuple[bytes, int, bytes]]] = [[] for _ in range(CLIENTS)]
    half_way = threading.Event()

    def client(number: int) -> None:
        for index in range(number, REQUESTS, CLIENTS):
            if index > REQUESTS // 2:
                half_way.set()
            body = f"request {index} of client {number} ".encode() + b"x" * (index % 97)
            status, _, answer = kit.hosting.invoke("shop", {"Content-Type": "application/octet-stream"}, body)
            answers[number].append((body, status, answer))

    linear = {
        "Type": "LINEAR",
        "WaitIntervalInSeconds": 0.3,
        "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
    }
    with ThreadPoolExecutor(CLIENTS) as pool:
        finished = [pool.submit(client, number) for number in range(CLIENTS)]
        os.kill(kit.hosting.processes()[1][0], signal.SIGKILL)
        kit.update(
            "shop",
            kit.config("new"),
            DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": linear}},
        )
        half_way.wait(60)
        os.kill(kit.hosting.processes()[0][0], signal.SIGKILL)
        for each in finished:
            each.result()
    assert kit.settled("shop")["EndpointConfigName"] == "new"
    wait_for(lambda: len(kit.hosting.processes()) == 2)
    given = [each for of_client in answers for each in of_client]
    assert len(given) == len({body for body, _, _ in given}) == REQUESTS
    assert Counter(status for _, status, _ in given) == {200: REQUESTS}
    wrong = [(body, answer) for body, _, answer in given if answer not in (body + b"|old1|old2", body + b"|new1|new2")]
    assert wrong == []
    for of_client in answers:
        assert [body for body, _, _ in of_client] == sorted((body for body, _, _ in of_client), key=_index)


def _index(body: bytes) -> int:
    return int(body.split()[1])

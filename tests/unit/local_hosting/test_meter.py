"""What invocations come to in AWS's metrics, without any container."""

from collections import defaultdict

import pytest

from local.sagemaker.hosting.meter import Meter, Outcome, Place
from local.sagemaker.metrics import Measurement

PLACE = Place(endpoint_name="shop", variant_name="main", config_name="v1", instances=4)
VARIANT = {"EndpointName": "shop", "VariantName": "main"}


def outcome(status: int) -> Outcome:
    return Outcome(status=status, model_seconds=0.25, overhead_seconds=0.001, container_seconds={"container-1": 0.1})


def test_values_come_under_the_variant_and_under_its_configuration_with_units() -> None:
    measured: list[Measurement] = []
    meter = Meter(measured.extend)
    meter.invocation(PLACE, outcome(200))
    meter.invocation(PLACE, outcome(200))
    meter.close()
    found = defaultdict(dict)
    for each in measured:
        found[tuple(each.dimensions.items())][each.name] = (each.unit, dict(each.values))
    by_variant = found[tuple(VARIANT.items())]
    assert by_variant == {
        "Invocations": ("None", {1.0: 2}),
        "InvocationsPerInstance": ("None", {0.25: 2}),
        "Invocation4XXErrors": ("None", {0.0: 2}),
        "Invocation5XXErrors": ("None", {0.0: 2}),
        "InvocationModelErrors": ("None", {0.0: 2}),
        "ModelLatency": ("Microseconds", {250_000.0: 2}),
        "OverheadLatency": ("Microseconds", {1000.0: 2}),
    }
    assert found[(*VARIANT.items(), ("EndpointConfigName", "v1"))] == by_variant
    assert found[(*VARIANT.items(), ("ContainerName", "container-1"))] == {
        "ContainerLatency": ("Microseconds", {100_000.0: 2})
    }
    assert len(found) == 3


@pytest.mark.parametrize(
    ("status", "client", "server", "model"),
    [(200, 0, 0, 0), (415, 1, 0, 1), (500, 0, 1, 1), (503, 0, 1, 1), (0, 0, 1, 1)],
)
def test_errors_are_told_apart_by_whose_they_are(status: int, client: int, server: int, model: int) -> None:
    measured: list[Measurement] = []
    meter = Meter(measured.extend)
    meter.invocation(PLACE, outcome(status))
    meter.flush()
    meter.flush()
    meter.close()
    values = {each.name: each.values for each in measured if each.dimensions == VARIANT}
    assert values["Invocation4XXErrors"] == {client: 1}
    assert values["Invocation5XXErrors"] == {server: 1}
    assert values["InvocationModelErrors"] == {model: 1}

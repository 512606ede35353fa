"""A release through CloudFormation: a bad model is seen by its alarm, and the stack is as it was before."""

import threading
from collections import Counter

from .conftest import LocalAws, Stack
from .templates import attribute, endpoint, model, ref, resource, role
from .test_sagemaker_types import put_artifact

FAILS = """
def model_fn(model_dir): ...
def transform_fn(*_):
    raise ValueError("bad")
"""
SECONDS = 2


def resources(url: str) -> dict[str, object]:
    """An endpoint whose canary is half of the traffic, with an alarm on its server errors."""
    variant = {
        "ModelName": attribute("Model", "ModelName"),
        "VariantName": "only",
        "InitialInstanceCount": 2,
        "InitialVariantWeight": 1.0,
        "InstanceType": "ml.c6i.large",
    }
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": SECONDS,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
    }
    dimensions = {"EndpointName": "guarded", "VariantName": "only"}
    return {
        "Role": role(),
        "Model": model(url),
        "Config": resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[variant]),
        "Errors": resource(
            "AWS::CloudWatch::Alarm",
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        ),
        "Endpoint": endpoint(
            EndpointName="guarded",
            DeploymentConfig={
                "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ref("Errors")}]},
            },
        ),
    }


class Client:
    """Asks the endpoint all the time and keeps what came."""

    def __init__(self, aws: LocalAws) -> None:
        self.answers: Counter[str] = Counter()
        self._runtime = aws.client("sagemaker-runtime")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        while not self._stop.wait(0.05):
            try:
                answer = self._runtime.invoke_endpoint(EndpointName="guarded", Body=b"!", ContentType="text/plain")
                self.answers[answer["Body"].read().decode()] += 1
            except self._runtime.exceptions.ModelError as error:
                self.answers[f"{error.response['OriginalStatusCode']}"] += 1

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)


def test_a_bad_model_fails_the_update_and_the_old_one_serves(aws: LocalAws, stack: Stack) -> None:
    assert stack.put(resources(put_artifact(aws, "fine"))) == "CREATE_COMPLETE", stack.reasons()
    config = aws.client("sagemaker").describe_endpoint(EndpointName="guarded")["EndpointConfigName"]
    client = Client(aws)
    try:
        assert stack.put(resources(put_artifact(aws, "bad", handler=FAILS))) == "UPDATE_ROLLBACK_COMPLETE"
    finally:
        client.stop()
    assert any("have been tripped while the new fleet had 50% of the traffic" in reason for reason in stack.reasons())
    described = aws.client("sagemaker").describe_endpoint(EndpointName="guarded")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", config)
    assert set(client.answers) == {"fine !", "500"}
    alarm = aws.client("cloudwatch").describe_alarms(AlarmNames=[stack.physical("Errors")])["MetricAlarms"][0]
    assert alarm["StateValue"] == "ALARM"

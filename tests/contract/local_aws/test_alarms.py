"""Alarms change their state by their own metric and tell their topic."""

import json

from .conftest import LocalAws, eventually


def test_only_the_alarm_of_the_dimension_that_breached_fires_and_tells_its_topic(aws: LocalAws) -> None:
    cloudwatch, sns, sqs = aws.client("cloudwatch"), aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    for function in ("intake", "router"):
        cloudwatch.put_metric_alarm(
            AlarmName=f"{function}-errors",
            Namespace="Tests",
            MetricName="Errors",
            Dimensions=[{"Name": "Function", "Value": function}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[topic],
        )
    error = {"MetricName": "Errors", "Value": 1, "Dimensions": [{"Name": "Function", "Value": "router"}]}
    cloudwatch.put_metric_data(Namespace="Tests", MetricData=[error])

    def states() -> dict[str, str]:
        found = cloudwatch.describe_alarms(AlarmNames=["intake-errors", "router-errors"])["MetricAlarms"]
        return {each["AlarmName"]: each["StateValue"] for each in found}

    eventually(lambda: states() == {"intake-errors": "OK", "router-errors": "ALARM"}, 15)
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["AlarmName"], told["NewStateValue"]) == ("router-errors", "ALARM")

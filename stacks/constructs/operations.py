"""Where the people on call hear of a broken part: one encrypted topic that every alarm reports to.

Knows the topic, its readers and what an alarm of this product looks like. Does not know what is measured.
"""

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.constructs.data_key import DataKey


class Operations(Construct):
    def __init__(self, scope: Construct, id_: str, *, key: DataKey, emails: Sequence[str]) -> None:
        super().__init__(scope, id_)
        self.topic = sns.Topic(self, "Topic", display_name="Earshot operations", master_key=key.key, enforce_ssl=True)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        for email in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def alarm(
        self,
        scope: Construct,
        id_: str,
        *,
        description: str,
        namespace: str,
        metric_name: str,
        dimensions: dict[str, str],
        statistic: str,
        threshold: float,
        period: Duration,
        evaluation_periods: int = 1,
        datapoints_to_alarm: int | None = None,
    ) -> cloudwatch.CfnAlarm:
        """Alarm when the metric is above the threshold. No data is no alarm: an idle product is a healthy one."""
        percentile = statistic.startswith("p")
        return cloudwatch.CfnAlarm(
            scope,
            id_,
            alarm_description=description,
            namespace=namespace,
            metric_name=metric_name,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in dimensions.items()
            ],
            statistic=None if percentile else statistic,
            extended_statistic=statistic if percentile else None,
            period=int(period.to_seconds()),
            evaluation_periods=evaluation_periods,
            datapoints_to_alarm=datapoints_to_alarm,
            threshold=threshold,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[self.topic.topic_arn],
            ok_actions=[self.topic.topic_arn],
        )

"""Alarms on metric math, which ministack's provisioner refuses, and composite alarms, which it does not know."""

from typing import Any

from local.aws import resources, seams, shapes
from local.aws.clients import client
from local.aws.seams import Created, Properties, ResourceType
from local.environment import ACCOUNT, REGION


def register() -> frozenset[str]:
    """The types that are replaced here."""
    seams.register_resource("AWS::CloudWatch::Alarm", AlarmType(seams.resource("AWS::CloudWatch::Alarm")))
    seams.register_resource("AWS::CloudWatch::CompositeAlarm", CompositeAlarmType())
    return frozenset({"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"})


def _name(logical_id: str, properties: Properties, stack: str) -> str:
    given: str = properties.get("AlarmName") or seams.physical_name(stack, logical_id, longest=255)
    return given


def _identified(name: str) -> Created:
    return name, {"Arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"}


class AlarmType:
    """Alarms on one metric stay ministack's; those with ``Metrics`` are stored here."""

    def __init__(self, native: ResourceType) -> None:
        self._native = native

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Put the alarm under its name."""
        if "Metrics" not in properties:
            return self._native.create(logical_id, properties, stack)
        name = _name(logical_id, properties, stack)
        shape = shapes.input_shape("cloudwatch", "PutMetricAlarm")
        request: dict[str, Any] = shapes.fit({**properties, "AlarmName": name}, shape)
        if problem := shapes.problem_with("cloudwatch", "PutMetricAlarm", request):
            raise ValueError(problem)
        seams.put_metric_math_alarm(request)
        return _identified(name)

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """Everything but the name changes in place."""
        if "Metrics" in new or "Metrics" in old:
            return self.create(logical_id, new, stack)
        return self._native.update(physical_id, old, new, stack, logical_id)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Remove it, unless a composite alarm needs it."""
        self._native.delete(physical_id, properties)


class CompositeAlarmType:
    """``AWS::CloudWatch::CompositeAlarm`` through PutCompositeAlarm."""

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Put the alarm under its name."""
        name = _name(logical_id, properties, stack)
        shape = shapes.input_shape("cloudwatch", "PutCompositeAlarm")
        client("cloudwatch").put_composite_alarm(**shapes.fit({**properties, "AlarmName": name}, shape))
        return _identified(name)

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """Everything but name and tags changes in place."""
        untagged = {key: value for key, value in new.items() if key != "Tags"}
        created = self.create(logical_id, new if _name(logical_id, new, stack) != physical_id else untagged, stack)
        if created[0] == physical_id and "Tags" in resources.changed(old, new):
            arn = created[1]["Arn"]
            client("cloudwatch").untag_resource(ResourceARN=arn, TagKeys=sorted(resources.tags_of(old)) or ["-"])
            tags = [{"Key": key, "Value": value} for key, value in resources.tags_of(new).items()]
            client("cloudwatch").tag_resource(ResourceARN=arn, Tags=tags)
        return created

    def delete(self, physical_id: str, properties: Properties) -> None:
        """DeleteAlarms is content with names that are gone."""
        client("cloudwatch").delete_alarms(AlarmNames=[physical_id])

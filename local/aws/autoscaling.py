"""Application Auto Scaling: targets, policies and scheduled actions, kept, validated and described.

Its resource types in CloudFormation are here too. What scales, and when, is said by ``target_tracking``.
"""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.aws import resources, seams, shapes
from local.aws.seams import Answer, Created, Properties
from local.environment import ACCOUNT, REGION
from local.sagemaker.errors import AwsError
from local.sagemaker.store import Record, Store

SERVICE = "application-autoscaling"
_TARGET_PREFIX = "AnyScaleFrontendService."
_KEY = ("ServiceNamespace", "ResourceId", "ScalableDimension")


def _key(of: dict[str, Any]) -> str:
    return "|".join(of[part] for part in _KEY)


def _missing(what: str, of: dict[str, Any]) -> AwsError:
    return AwsError(
        "ObjectNotFoundException",
        f"No {what} found for service namespace: {of['ServiceNamespace']}, resource ID: {of['ResourceId']}, "
        f"scalable dimension: {of['ScalableDimension']}",
    )


class ApplicationAutoScaling:
    """The service, one method per operation; records are on disk when a call returns."""

    def __init__(self, path: Path) -> None:
        self._store = Store(path)
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "RegisterScalableTarget": self._register_target,
            "DescribeScalableTargets": self._describe_targets,
            "DeregisterScalableTarget": self._deregister_target,
            "PutScalingPolicy": self._put_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "DeleteScalingPolicy": self._delete_policy,
            "PutScheduledAction": self._put_action,
            "DescribeScheduledActions": self._describe_actions,
            "DeleteScheduledAction": self._delete_action,
            "DescribeScalingActivities": self._describe_activities,
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    def close(self) -> None:
        """Release the file."""
        self._store.close()

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        """One request of the JSON 1.1 protocol."""
        operation = headers.get("x-amz-target", "").removeprefix(_TARGET_PREFIX)
        try:
            status, answer = 200, self.call(operation, json.loads(body or b"{}"))
        except json.JSONDecodeError:
            status, answer = 400, {"__type": "SerializationException", "Message": "The request is not JSON."}
        except AwsError as refusal:
            status, answer = refusal.status, {"__type": refusal.code, "Message": refusal.message}
        return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """One operation; raises AwsError."""
        if operation not in self._operations:
            raise AwsError("UnknownOperationException", f"{operation} is not an operation of the local AWS.")
        if problem := shapes.problem_with(SERVICE, operation, request):
            raise AwsError("ValidationException", problem)
        for member, shape_name in (
            ("ServiceNamespace", "ServiceNamespace"),
            ("ScalableDimension", "ScalableDimension"),
        ):
            allowed = shapes.service_model(SERVICE).shape_for(shape_name).enum
            if member in request and request[member] not in allowed:
                raise AwsError("ValidationException", f"{member} must be one of {', '.join(allowed)}.")
        return self._operations[operation](request)

    # --- what the policies do

    def policies_with_targets(self, namespace: str, dimension: str) -> list[tuple[Record, Record]]:
        """Each policy of this kind of resource, behind its target."""
        of = {"ServiceNamespace": namespace, "ScalableDimension": dimension}
        targets = {_key(target): target for target in self._matching("target", of)}
        return [(targets[_key(each)], each) for each in self._matching("policy", of) if _key(each) in targets]

    def note_activity(self, target: Record, policy: Record, *, current: int, desired: int) -> None:
        """Keep that a policy changed a target."""
        now, activity = time.time(), str(uuid4())
        self._store.put(
            "activity",
            f"{now:017.6f}|{activity}",
            {
                **{part: target[part] for part in _KEY},
                "ActivityId": activity,
                "Description": f"Setting desired instance count to {desired}.",
                "Cause": f"policy {policy['PolicyName']} found {current} instances not to fit its target value",
                "StartTime": now,
                "EndTime": now,
                "StatusCode": "Successful",
                "StatusMessage": f"Successfully set desired instance count to {desired}.",
            },
        )

    def _describe_activities(self, request: dict[str, Any]) -> dict[str, Any]:
        return _page("ScalingActivities", self._matching("activity", request)[::-1], request)

    # --- targets

    def _register_target(self, request: dict[str, Any]) -> dict[str, Any]:
        known = self._store.get("target", _key(request)) or {}
        _check_target(request, known)
        arn = known.get("ScalableTargetARN") or _arn("scalable-target", uuid4().hex[:12])
        target = {
            "CreationTime": time.time(),
            "RoleARN": _service_role(request["ServiceNamespace"]),
            "SuspendedState": _suspended({}),
            **known,
            **{name: value for name, value in request.items() if name not in ("Tags", "SuspendedState")},
            "ScalableTargetARN": arn,
        }
        if "SuspendedState" in request:
            target["SuspendedState"] = _suspended({**target["SuspendedState"], **request["SuspendedState"]})
        if target["MinCapacity"] > target["MaxCapacity"]:
            raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        self._store.put("target", _key(request), target)
        if request.get("Tags"):
            self._tag({"ResourceARN": arn, "Tags": request["Tags"]})
        return {"ScalableTargetARN": arn}

    def _describe_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("ResourceIds")
        found = [each for each in self._matching("target", request) if not wanted or each["ResourceId"] in wanted]
        return _page("ScalableTargets", found, request)

    def _deregister_target(self, request: dict[str, Any]) -> dict[str, Any]:
        target = self._store.get("target", _key(request))
        if target is None:
            raise _missing("scalable target", request)
        for kind, name in (("policy", "PolicyName"), ("action", "ScheduledActionName")):
            for each in self._store.list(kind):
                if _key(each) == _key(request):
                    self._store.delete(kind, f"{_key(each)}|{each[name]}")
        self._store.delete("tags", target["ScalableTargetARN"])
        self._store.delete("target", _key(request))
        return {}

    # --- policies

    def _put_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._store.get("target", _key(request)) is None:
            raise _missing("scalable target", request)
        name = f"{_key(request)}|{request['PolicyName']}"
        known = self._store.get("policy", name) or {}
        policy = {
            "CreationTime": time.time(),
            "PolicyType": "StepScaling",
            **known,
            **request,
            "Alarms": [],
            "PolicyARN": known.get("PolicyARN") or _policy_arn(request),
        }
        settings = f"{policy['PolicyType']}PolicyConfiguration"
        if settings not in policy:
            raise AwsError("ValidationException", f"{settings} is required for {policy['PolicyType']}.")
        self._store.put("policy", name, policy)
        return {"PolicyARN": policy["PolicyARN"], "Alarms": []}

    def _describe_policies(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("PolicyNames")
        found = [each for each in self._matching("policy", request) if not wanted or each["PolicyName"] in wanted]
        return _page("ScalingPolicies", found, request)

    def _delete_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self._store.delete("policy", f"{_key(request)}|{request['PolicyName']}"):
            raise _missing("scaling policy", request)
        return {}

    # --- scheduled actions

    def _put_action(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._store.get("target", _key(request)) is None:
            raise _missing("scalable target", request)
        name = f"{_key(request)}|{request['ScheduledActionName']}"
        known = self._store.get("action", name) or {
            "CreationTime": time.time(),
            "ScheduledActionARN": _arn("scheduledAction", uuid4().hex[:12]),
        }
        self._store.put("action", name, {**known, **request})
        return {}

    def _describe_actions(self, request: dict[str, Any]) -> dict[str, Any]:
        return _page("ScheduledActions", self._matching("action", request), request)

    def _delete_action(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self._store.delete("action", f"{_key(request)}|{request['ScheduledActionName']}"):
            raise _missing("scheduled action", request)
        return {}

    # --- tags

    def _tags(self, request: dict[str, Any]) -> dict[str, str]:
        arn = request["ResourceARN"]
        if not any(target["ScalableTargetARN"] == arn for target in self._store.list("target")):
            raise AwsError("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")
        return dict(self._store.get("tags", arn) or {})

    def _list_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self._tags(request)}

    def _tag(self, request: dict[str, Any]) -> dict[str, Any]:
        self._store.put("tags", request["ResourceARN"], {**self._tags(request), **request["Tags"]})
        return {}

    def _untag(self, request: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in self._tags(request).items() if key not in request["TagKeys"]}
        self._store.put("tags", request["ResourceARN"], kept)
        return {}

    def _matching(self, kind: str, request: dict[str, Any]) -> list[Record]:
        asked = [part for part in _KEY if part in request]
        return [each for each in self._store.list(kind) if all(each[part] == request[part] for part in asked)]


def _check_target(request: dict[str, Any], known: Record) -> None:
    if not known and not {"MinCapacity", "MaxCapacity"} <= request.keys():
        raise AwsError("ValidationException", "MinCapacity and MaxCapacity are required to register a new target.")
    if not request["ScalableDimension"].startswith(f"{request['ServiceNamespace']}:"):
        raise AwsError("ValidationException", "The scalable dimension does not belong to the service namespace.")
    if request["ScalableDimension"].startswith("sagemaker:variant:") and not re.fullmatch(
        r"endpoint/[^/]+/variant/[^/]+", request["ResourceId"]
    ):
        raise AwsError("ValidationException", f"Unsupported resource ID: {request['ResourceId']}")


def _suspended(given: dict[str, bool]) -> dict[str, bool]:
    names = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    return {name: bool(given.get(name)) for name in names}


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:{kind}/{name}"


def _policy_arn(request: dict[str, Any]) -> str:
    return (
        f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{uuid4()}:resource/{request['ServiceNamespace']}/"
        f"{request['ResourceId']}:policyName/{request['PolicyName']}"
    )


def _service_role(namespace: str) -> str:
    names = {"sagemaker": "SageMakerEndpoint", "ecs": "ECSService", "dynamodb": "DynamoDBTable"}
    role = f"AWSServiceRoleForApplicationAutoScaling_{names.get(namespace, namespace)}"
    return f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{namespace}.application-autoscaling.amazonaws.com/{role}"


def _page(name: str, found: list[Record], request: dict[str, Any]) -> dict[str, Any]:
    try:
        start = int(request.get("NextToken", "0"))
    except ValueError:
        raise AwsError("InvalidNextTokenException", "The next token is not valid.") from None
    size = request.get("MaxResults", 50)
    answer: dict[str, Any] = {name: found[start : start + size]}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return answer


# --- CloudFormation


class ScalableTargetType:
    """``AWS::ApplicationAutoScaling::ScalableTarget``; its physical id names resource, dimension and service."""

    def __init__(self, service: ApplicationAutoScaling) -> None:
        self._service = service

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Register it with its scheduled actions."""
        given = {name: value for name, value in properties.items() if name not in ("ScheduledActions", "Tags")}
        request = shapes.fit(given, shapes.input_shape(SERVICE, "RegisterScalableTarget"))
        if tags := resources.tags_of(properties):
            request["Tags"] = tags
        self._service.call("RegisterScalableTarget", request)
        for action in properties.get("ScheduledActions", []):
            wanted = {**action, **{part: properties[part] for part in _KEY}}
            self._service.call(
                "PutScheduledAction", shapes.fit(wanted, shapes.input_shape(SERVICE, "PutScheduledAction"))
            )
        identity = f"{properties['ResourceId']}|{properties['ScalableDimension']}|{properties['ServiceNamespace']}"
        return identity, {"Id": identity}

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """Registering again changes it; another resource gets another physical id."""
        if not resources.changed(old, new) & set(_KEY):
            gone = {each["ScheduledActionName"] for each in old.get("ScheduledActions", [])}
            for name in gone - {each["ScheduledActionName"] for each in new.get("ScheduledActions", [])}:
                key = {part: new[part] for part in _KEY}
                self._service.call("DeleteScheduledAction", {**key, "ScheduledActionName": name})
        return self.create(logical_id, new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Deregister it; fine where it is gone."""
        resource_id, dimension, namespace = physical_id.split("|")
        _ignore_missing(
            lambda: self._service.call(
                "DeregisterScalableTarget",
                {"ResourceId": resource_id, "ScalableDimension": dimension, "ServiceNamespace": namespace},
            )
        )


class ScalingPolicyType:
    """``AWS::ApplicationAutoScaling::ScalingPolicy``; its physical id is its ARN."""

    def __init__(self, service: ApplicationAutoScaling) -> None:
        self._service = service

    def create(self, logical_id: str, properties: Properties, stack: str) -> Created:
        """Put the policy on the target that it names in either way."""
        given = {name: value for name, value in properties.items() if name != "ScalingTargetId"}
        request = shapes.fit({**given, **_policy_key(properties)}, shapes.input_shape(SERVICE, "PutScalingPolicy"))
        arn = self._service.call("PutScalingPolicy", request)["PolicyARN"]
        return arn, {"Arn": arn}

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Created:
        """Putting it again keeps its ARN while name and target stay."""
        return self.create(logical_id, new, stack)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Delete it; fine where it, or its target, is gone."""
        request = {**_policy_key(properties), "PolicyName": properties["PolicyName"]}
        _ignore_missing(lambda: self._service.call("DeleteScalingPolicy", request))


def _policy_key(properties: Properties) -> dict[str, str]:
    if "ScalingTargetId" in properties:
        resource_id, dimension, namespace = properties["ScalingTargetId"].split("|")
        return {"ResourceId": resource_id, "ScalableDimension": dimension, "ServiceNamespace": namespace}
    return {part: properties[part] for part in _KEY}


def _ignore_missing(call: Callable[[], object]) -> None:
    try:
        call()
    except AwsError as refusal:
        if refusal.code != "ObjectNotFoundException":
            raise


def register(service: ApplicationAutoScaling) -> None:
    """Answer the service's requests and provision its resource types."""
    seams.register_service(SERVICE, service.handle)
    seams.register_resource("AWS::ApplicationAutoScaling::ScalableTarget", ScalableTargetType(service))
    seams.register_resource("AWS::ApplicationAutoScaling::ScalingPolicy", ScalingPolicyType(service))

"""The Intake stack as it is deployed: who may call, what is judged where, what is retried, and what is noticed."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

import lambdas
from feedback.ledger import State
from stacks.constructs.feedback_models import SCHEMA, batch_model, feedback_model
from tests.infra.intrinsics import example
from tests.synthesis import STAGES, Assembly, function_of

WITHOUT_SETTINGS = "channels.webhook_gate"


def functions_of(stage: str) -> set[str]:
    """Every package of the code that is a function; in a private network nothing asks the internet."""
    folder = Path(lambdas.__path__[0])
    packages = {".".join(path.relative_to(folder).parts[:-1]) for path in folder.rglob("handler.py")}
    return packages - ({"channels.puller"} if stage == "prod" else set())


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_gets_exactly_the_variables_that_its_settings_read(app: Assembly, stage: str) -> None:
    seen = set()
    for function in app.resources(stage, "AWS::Lambda::Function").values():
        package = function_of(function)
        if package:
            if package == WITHOUT_SETTINGS:
                assert "Environment" not in function["Properties"]
                continue
            seen.add(package)
            settings = importlib.import_module(f"lambdas.{package}.settings").Settings
            variables = function["Properties"]["Environment"]["Variables"]
            assert set(variables) == set(settings.environment_names()), package
            settings.from_env({name: example(value) for name, value in variables.items()})
    assert seen | {WITHOUT_SETTINGS} == functions_of(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_functions_run_on_a_current_runtime_with_logs_that_end(app: Assembly, stage: str) -> None:
    groups = app.resources(stage, "AWS::Logs::LogGroup")
    for function in app.resources(stage, "AWS::Lambda::Function").values():
        if function_of(function):
            properties = function["Properties"]
            assert properties["Runtime"] == "python3.14"
            assert properties["Architectures"] == ["arm64"]
            assert properties["LoggingConfig"]["LogGroup"]["Ref"] in groups
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] <= 365
        assert group["Properties"]["KmsKeyId"]


def test_reserved_concurrency_fits_into_a_usual_account(app: Assembly) -> None:
    """An account has 1,000 in all, of which 100 cannot be reserved."""
    functions = app.resources("prod", "AWS::Lambda::Function").values()
    reserved = [function["Properties"]["ReservedConcurrentExecutions"] for function in functions]
    assert sum(reserved) <= 900


@pytest.mark.parametrize("stage", STAGES)
def test_every_method_asks_for_a_signature(app: Assembly, stage: str) -> None:
    methods = [method["Properties"] for method in app.resources(stage, "AWS::ApiGateway::Method").values()]
    assert sorted(method["HttpMethod"] for method in methods) == ["GET", "GET", *["POST"] * 5]
    assert sorted(method["AuthorizationType"] for method in methods) == [*["AWS_IAM"] * 6, "CUSTOM"]


@pytest.mark.parametrize("stage", STAGES)
def test_who_signs_otherwise_is_judged_anew_for_every_request(app: Assembly, stage: str) -> None:
    (authorizer,) = app.resources(stage, "AWS::ApiGateway::Authorizer").items()
    (custom,) = (
        method["Properties"]
        for method in app.resources(stage, "AWS::ApiGateway::Method").values()
        if method["Properties"]["AuthorizationType"] == "CUSTOM"
    )
    assert custom["AuthorizerId"] == {"Ref": authorizer[0]}
    assert custom["RequestParameters"] == {"method.request.path.source": True}
    assert authorizer[1]["Properties"]["Type"] == "REQUEST"
    assert authorizer[1]["Properties"]["AuthorizerResultTtlInSeconds"] == 0


def test_bodies_are_judged_before_any_code_runs(app: Assembly) -> None:
    posts = [
        method["Properties"]
        for method in app.resources("prod", "AWS::ApiGateway::Method").values()
        if method["Properties"]["HttpMethod"] == "POST" and method["Properties"]["AuthorizationType"] == "AWS_IAM"
    ]
    models = {method["RequestModels"]["application/json"] for method in posts}
    assert models == {"Feedback", "Batch", "Correction", "AlertAction"}
    assert all("RequestValidatorId" in method for method in posts)
    validator = app.resource("prod", "AWS::ApiGateway::RequestValidator")["Properties"]
    assert validator["ValidateRequestBody"] is True
    assert validator["ValidateRequestParameters"] is True


def test_the_request_model_is_the_schemas_shape_and_leaves_limits_to_the_function() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    model = feedback_model()
    assert set(model["properties"]) == set(schema["properties"])
    assert model["required"] == schema["required"]
    assert model["additionalProperties"] is False
    assert model["properties"]["channel"]["enum"] == schema["properties"]["channel"]["enum"]
    words = set(_words(model))
    assert not words & {"minLength", "maxLength", "minimum", "maximum", "pattern", "maxProperties", "description"}


def test_a_batch_is_taken_whole_so_that_a_bad_item_fails_alone() -> None:
    model = batch_model()
    assert model["required"] == ["items"]
    assert model["properties"]["items"] == {"type": "array", "items": {"type": "object"}}


def _words(schema: Any) -> list[str]:
    if not isinstance(schema, dict):
        return []
    words = [word for word in schema if word != "properties"]
    for field in schema.get("properties", {}).values():
        words += _words(field)
    return words


def test_a_changed_model_makes_a_new_deployment(app: Assembly) -> None:
    """A deployment is a snapshot, so its id must follow from the models and the problems too."""
    (deployment,) = app.resources("prod", "AWS::ApiGateway::Deployment").values()
    models = set(app.resources("prod", "AWS::ApiGateway::Model"))
    responses = set(app.resources("prod", "AWS::ApiGateway::GatewayResponse"))
    assert responses <= set(deployment["DependsOn"])
    methods = app.resources("prod", "AWS::ApiGateway::Method").values()
    assert models == {name for method in methods for name in method.get("DependsOn", [])}


@pytest.mark.parametrize("stage", STAGES)
def test_what_api_gateway_answers_itself_is_a_problem_document(app: Assembly, stage: str) -> None:
    responses = [
        response["Properties"] for response in app.resources(stage, "AWS::ApiGateway::GatewayResponse").values()
    ]
    assert {"BAD_REQUEST_BODY", "ACCESS_DENIED", "THROTTLED", "WAF_FILTERED", "DEFAULT_4XX", "DEFAULT_5XX"} <= {
        response["ResponseType"] for response in responses
    }
    for response in responses:
        header = response["ResponseParameters"]["gatewayresponse.header.Content-Type"]
        assert header == "'application/problem+json'"
        body = response["ResponseTemplates"]["application/json"]
        body = body.replace('"$context.error.validationErrorString"', '"text"')
        problem = json.loads(body.replace("$context.error.messageString", '"text"'))
        assert {"type", "title", "detail"} <= set(problem)
        assert str(problem.get("status", "")) == response.get("StatusCode", "")


@pytest.mark.parametrize("stage", STAGES)
def test_callers_are_throttled_logged_and_behind_the_firewall(app: Assembly, stage: str) -> None:
    api_stage = app.resource(stage, "AWS::ApiGateway::Stage")["Properties"]
    (everything,) = api_stage["MethodSettings"]
    assert everything["ThrottlingRateLimit"] > 0
    assert everything["ThrottlingBurstLimit"] >= everything["ThrottlingRateLimit"]
    assert everything["DataTraceEnabled"] is False, "full request logging would write feedback into the log"
    assert everything["LoggingLevel"] == "ERROR"
    assert "body" not in api_stage["AccessLogSetting"]["Format"].lower()
    association = app.resource(stage, "AWS::WAFv2::WebACLAssociation")["Properties"]
    assert example(association["ResourceArn"]).startswith("arn:aws:apigateway:")
    assert "::/restapis/" in example(association["ResourceArn"])


@pytest.mark.parametrize("stage", STAGES)
def test_the_firewall_limits_addresses_and_blocks_no_body_but_those_it_cannot_see(app: Assembly, stage: str) -> None:
    acl = app.resource(stage, "AWS::WAFv2::WebACL")["Properties"]
    rules = {rule["Name"]: rule for rule in acl["Rules"]}
    assert "Limit" in rules["RatePerAddress"]["Statement"]["RateBasedStatement"]
    common = rules["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    counting = {override["Name"] for override in common["RuleActionOverrides"] if "Count" in override["ActionToUse"]}
    assert "SizeRestrictions_BODY" in counting, "it blocks every body above 8 KB, and a batch is larger"
    assert "CrossSiteScripting_BODY" in counting
    assert acl["AssociationConfig"]["RequestBody"]["API_GATEWAY"]["DefaultSizeInspectionLimit"] == "KB_64"
    blocked, batches = rules["UnseenBodies"]["Statement"]["AndStatement"]["Statements"]
    assert blocked["SizeConstraintStatement"]["FieldToMatch"] == {"Body": {"OversizeHandling": "MATCH"}}
    assert batches["NotStatement"]["Statement"]["ByteMatchStatement"]["SearchString"] == "/batch"


@pytest.mark.parametrize("stage", STAGES)
def test_the_queue_outwaits_its_worker_and_gives_up_after_five_tries(app: Assembly, stage: str) -> None:
    queue = app.resources(stage, "AWS::SQS::Queue")["Queue381943A6"]["Properties"]
    functions = app.resources(stage, "AWS::Lambda::Function", stack="Intake").values()
    (router,) = [function["Properties"] for function in functions if function_of(function) == "router"]
    assert queue["VisibilityTimeout"] >= 6 * router["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    dead = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert app.resources(stage, "AWS::SQS::Queue")[dead]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


@pytest.mark.parametrize("stage", STAGES)
def test_one_bad_record_never_blocks_the_others(app: Assembly, stage: str) -> None:
    mappings = [mapping["Properties"] for mapping in app.resources(stage, "AWS::Lambda::EventSourceMapping").values()]
    of_queues = [mapping for mapping in mappings if "ScalingConfig" in mapping]
    assert (len(mappings), len(of_queues)) == (9, 5)
    for mapping in mappings:
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        if mapping in of_queues:
            assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2
        else:
            assert mapping["BisectBatchOnFunctionError"] is True
            assert mapping["DestinationConfig"]["OnFailure"]["Destination"]
            assert mapping["MaximumRetryAttempts"] >= 1


def test_consumers_of_the_ledger_see_decisions_only(app: Assembly) -> None:
    decided = {state.value for state in State if state.is_decided}
    assert State.RECEIVED.value not in decided
    seen: dict[str, set[str]] = {}
    for (_, stack), template in app.templates.items():
        for name, mapping in template["Resources"].items():
            if mapping["Type"] == "AWS::Lambda::EventSourceMapping":
                for each in mapping["Properties"].get("FilterCriteria", {}).get("Filters", []):
                    image = json.loads(each["Pattern"])["dynamodb"]["NewImage"]
                    states = seen.setdefault(f"{stack}.{name.removesuffix('Mapping')[:8]}", set())
                    states |= set(image["state"]["S"])
                    assert set(image["state"]["S"]) <= decided
                    if stack == "Alerts":
                        told = image.get("sentiment") or image["correction"]["M"]["sentiment"]
                        assert told == {"N": ["-1"]}
    assert len(seen) == 4
    assert decided in seen.values()  # the lake takes them all


def test_what_a_consumer_writes_on_a_decision_does_not_wake_it_again(app: Assembly) -> None:
    """A filter can ask only of a leaf whether it is there."""
    marks = {"Alerts": ("alert", "state"), "Watch": ("counted", "label")}
    for stack, (mark, leaf) in marks.items():
        (pattern, *_) = (
            json.loads(each["Pattern"])["dynamodb"]["NewImage"]
            for name, mapping in app.resources("prod", "AWS::Lambda::EventSourceMapping", stack=stack).items()
            for each in mapping["Properties"].get("FilterCriteria", {}).get("Filters", [])
            if name.startswith(("Alerting", "Counting"))
        )
        assert pattern[mark] == {"M": {leaf: {"S": [{"exists": False}]}}}


@pytest.mark.parametrize("stage", STAGES)
def test_the_ledger_can_be_restored_expires_and_tells_its_changes(app: Assembly, stage: str) -> None:
    (table,) = (
        table["Properties"]
        for table in app.resources(stage, "AWS::DynamoDB::Table").values()
        if "StreamSpecification" in table["Properties"]
    )
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["KeySchema"] == [{"AttributeName": "feedback_id", "KeyType": "HASH"}]
    assert table.get("DeletionProtectionEnabled", False) is (stage == "prod")
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}, "what customers wrote is read in the table only"


@pytest.mark.parametrize("stage", STAGES)
def test_every_table_is_encrypted_expires_and_can_be_restored(app: Assembly, stage: str) -> None:
    tables = app.resources(stage, "AWS::DynamoDB::Table")
    assert len(tables) == 3
    for table in tables.values():
        properties = table["Properties"]
        assert properties["SSESpecification"]["SSEType"] == "KMS"
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


@pytest.mark.parametrize("stage", STAGES)
def test_queues_and_topics_are_encrypted_with_our_key_and_speak_tls(app: Assembly, stage: str) -> None:
    for queue in app.resources(stage, "AWS::SQS::Queue").values():
        assert queue["Properties"]["KmsMasterKeyId"]
    for topic in app.resources(stage, "AWS::SNS::Topic").values():
        assert topic["Properties"]["KmsMasterKeyId"]
    guarded = [
        *app.resources(stage, "AWS::SQS::QueuePolicy").values(),
        *app.resources(stage, "AWS::SNS::TopicPolicy").values(),
    ]
    for policy in guarded:
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        assert any(s["Effect"] == "Deny" and "aws:SecureTransport" in str(s["Condition"]) for s in statements)


@pytest.mark.parametrize("stage", STAGES)
def test_every_alarm_reaches_the_people_on_call(app: Assembly, stage: str) -> None:
    alarms = app.resources(stage, "AWS::CloudWatch::Alarm")
    for logical_id, alarm in alarms.items():
        properties = alarm["Properties"]
        assert len(properties["AlarmActions"]) == 1, logical_id
        assert properties["TreatMissingData"] == "notBreaching"
        assert properties["AlarmDescription"]


@pytest.mark.parametrize("stage", STAGES)
def test_stuck_work_and_broken_parts_are_noticed(app: Assembly, stage: str) -> None:
    alarms = [alarm["Properties"] for alarm in app.resources(stage, "AWS::CloudWatch::Alarm").values()]
    watched = [(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms]
    assert watched.count(("AWS/SQS", "ApproximateNumberOfMessagesVisible")) == 8  # all dead letter queues
    assert watched.count(("AWS/SQS", "ApproximateAgeOfOldestMessage")) == 5
    functions = functions_of(stage)
    assert watched.count(("AWS/Lambda", "Errors")) == len(functions) - 1  # an authorizer refuses by raising
    assert watched.count(("AWS/Lambda", "Throttles")) == len(functions)
    assert watched.count(("AWS/Lambda", "IteratorAge")) == 4
    assert watched.count(("AWS/States", "ExecutionsFailed")) == 2
    assert watched.count(("AWS/ApiGateway", "5XXError")) == 1

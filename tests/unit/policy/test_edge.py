"""The rules for the edge: silent on good templates, and each notices its fault."""

from typing import Any

import pytest

from tests.unit.policy.faults import Fault, broken, findings, ids, is_caught, read

GOOD = read("edge.yaml")
DISTRIBUTION = "Cdn/DistributionConfig"
SITE_POLICY = "SitePolicy/PolicyDocument/Statement"
QUEUE_STATEMENT = "InboxPolicy/PolicyDocument/Statement"
RULES = "Firewall/Rules"

FAULTS = [
    Fault("EDGE-01", "PostOrder/AuthorizationType", "NONE"),
    Fault("EDGE-01", "PostOrder/AuthorizationType"),
    Fault("EDGE-01", "PutOrder/AuthorizerId"),
    Fault("EDGE-01", "HttpRoute/AuthorizationType"),
    Fault("EDGE-01", "HttpRoute/AuthorizerId"),
    Fault("EDGE-01", "SocketConnect/AuthorizationType", "NONE"),
    Fault("EDGE-01", "HttpApi/Target", "arn:aws:lambda:eu-west-1:000000000000:function:x"),
    Fault("EDGE-02", "Described/Body/paths/|things/get/security"),
    Fault("EDGE-02", "Described/Body/paths/|things/post/x-amazon-apigateway-auth/type", "NONE"),
    Fault("EDGE-03", "PostOrder/RequestValidatorId"),
    Fault("EDGE-03", "Bodies/ValidateRequestBody", False),
    Fault("EDGE-04", "Bodies/ValidateRequestBody"),
    Fault("EDGE-05", "PostOrder/RequestModels"),
    Fault("EDGE-06", "Domain/SecurityPolicy", "TLS_1_0"),
    Fault("EDGE-06", "Domain/SecurityPolicy"),
    Fault("EDGE-06", "HttpDomain/DomainNameConfigurations/0/SecurityPolicy", "TLS_1_0"),
    Fault("EDGE-07", "Door/SecurityGroupIngress/0/FromPort", 22),
    Fault("EDGE-07", "Door/SecurityGroupIngress/0/IpProtocol", "-1"),
    Fault("EDGE-08", "Identities/AllowUnauthenticatedIdentities", True),
    Fault("EDGE-09", "Users/Policies/PasswordPolicy/MinimumLength", 6),
    Fault("EDGE-10", "Live/MethodSettings/0/DataTraceEnabled", True),
    Fault("EDGE-10", "HttpStage/DefaultRouteSettings/DataTraceEnabled", True),
    Fault("EDGE-11", "Live/AccessLogSetting"),
    Fault("EDGE-11", "Live/AccessLogSetting/DestinationArn"),
    Fault("EDGE-11", "HttpStage/AccessLogSettings"),
    Fault("EDGE-12", "Live/MethodSettings/0/ThrottlingRateLimit"),
    Fault("EDGE-12", "Live/MethodSettings/0/ThrottlingBurstLimit", -1),
    Fault("EDGE-12", "Live/MethodSettings/0/ResourcePath", "/orders"),
    Fault("EDGE-12", "Live/MethodSettings/0/HttpMethod"),
    Fault("EDGE-12", "Live/MethodSettings"),
    Fault("EDGE-12", "HttpStage/DefaultRouteSettings"),
    Fault("EDGE-13", "FirewallOfLive", at="Live"),
    Fault("EDGE-13", "FirewallOfLive/ResourceArn", "arn:aws:apigateway:eu-west-1::/restapis/other/stages/live"),
    Fault("EDGE-13", "Live/StageName", "test"),
    Fault("EDGE-15", "Live/MethodSettings/0/LoggingLevel", "OFF"),
    Fault("EDGE-17", "Live/TracingEnabled", False),
    Fault("EDGE-18", "Live/MethodSettings/1/CacheDataEncrypted"),
    Fault("EDGE-20", f"{RULES}/0"),
    Fault("EDGE-20", f"{RULES}/0/Action", {"Count": {}}),
    Fault("EDGE-20", f"{RULES}/0/Statement/RateBasedStatement/Limit", 2_000_000_000),
    Fault("EDGE-21", f"{RULES}/2"),
    Fault("EDGE-21", f"{RULES}/2/OverrideAction", {"Count": {}}),
    Fault("EDGE-22", f"{RULES}/1/Statement/SizeConstraintStatement/FieldToMatch/Body/OversizeHandling", "CONTINUE"),
    Fault("EDGE-22", f"{RULES}/1/Statement/SizeConstraintStatement/FieldToMatch/Body/OversizeHandling"),
    Fault("EDGE-22", f"{RULES}/1/Statement/SizeConstraintStatement/FieldToMatch/Body/OversizeHandling", "NO_MATCH"),
    Fault("EDGE-23", f"{RULES}/1"),
    Fault("EDGE-23", f"{RULES}/1/Action", {"Count": {}}),
    Fault("EDGE-20", f"{RULES}/0/Statement/RateBasedStatement/Limit"),
    Fault("EDGE-21", f"{RULES}/2/Statement/ManagedRuleGroupStatement/Name"),
    Fault("EDGE-24", f"{RULES}/0/Action"),
    Fault("EDGE-24", f"{RULES}/2/Statement"),
    Fault("EDGE-24", f"{RULES}/0/VisibilityConfig"),
    Fault("EDGE-24", "Firewall/Rules", []),
    Fault("EDGE-24", f"{RULES}/0/VisibilityConfig/CloudWatchMetricsEnabled", False),
    Fault("EDGE-30", f"{SITE_POLICY}/2/Condition"),
    Fault("EDGE-30", f"{SITE_POLICY}/2/Condition/StringEquals/aws:PrincipalOrgID", "*"),
    Fault("EDGE-30", f"{SITE_POLICY}/0/Effect", "Allow"),
    Fault("EDGE-30", "Described/Policy/Statement/1"),
    Fault("EDGE-31", f"{QUEUE_STATEMENT}/Condition"),
    Fault("EDGE-31", f"{SITE_POLICY}/1/Condition"),
    Fault("EDGE-31", f"{SITE_POLICY}/1/Condition/StringEquals/AWS:SourceArn", "*"),
    Fault("EDGE-32", "Caller/AssumeRolePolicyDocument/Statement/0/Principal", {"AWS": "*"}),
    Fault("EDGE-32", "Caller/AssumeRolePolicyDocument/Statement/0/Principal", "*"),
    Fault("EDGE-32", "Caller/AssumeRolePolicyDocument/Statement/0/Principal", {"Federated": "accounts.google.com"}),
    Fault("EDGE-40", "MayCall/SourceArn"),
    Fault("EDGE-40", "MayCall/SourceArn", "*"),
    Fault("EDGE-40", "MayCallFromBucket/SourceAccount"),
    Fault("EDGE-41", "MayCall", {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "*"}}),
    Fault("EDGE-42", "Url/AuthType", "NONE"),
    Fault("EDGE-42", "MayCall/FunctionUrlAuthType", "NONE"),
    Fault("EDGE-43", "HttpApi/CorsConfiguration/AllowOrigins", ["*"]),
    Fault("EDGE-44", "MayCall/Action", "lambda:*"),
    Fault("EDGE-50", f"{DISTRIBUTION}/DefaultCacheBehavior/ViewerProtocolPolicy", "allow-all"),
    Fault("EDGE-50", f"{DISTRIBUTION}/CacheBehaviors/0/ViewerProtocolPolicy", "allow-all"),
    Fault("EDGE-51", f"{DISTRIBUTION}/Origins/1/CustomOriginConfig/OriginProtocolPolicy", "http-only"),
    Fault("EDGE-51", f"{DISTRIBUTION}/Origins/1/CustomOriginConfig/OriginSSLProtocols", ["SSLv3"]),
    Fault("EDGE-52", f"{DISTRIBUTION}/Origins/0/OriginAccessControlId"),
    Fault("EDGE-53", f"{DISTRIBUTION}/ViewerCertificate/MinimumProtocolVersion", "TLSv1"),
    Fault("EDGE-55", "Control/OriginAccessControlConfig/SigningBehavior", "never"),
    Fault("EDGE-56", f"{DISTRIBUTION}/Enabled", False),
    Fault("EDGE-33", "Site/AccessControl", "PublicRead"),
]
PRACTICES = [
    Fault("EDGE-14", "Live/MethodSettings/0/LoggingLevel"),
    Fault("EDGE-16", "Live/TracingEnabled"),
    Fault("EDGE-25", "FirewallLog"),
    Fault("EDGE-54", f"{DISTRIBUTION}/Logging"),
]


def of_subject(template: dict[str, Any], *, strict: bool = False) -> list[tuple[str, str, str]]:
    return [
        (finding.rule_id, finding.logical_id, finding.detail)
        for finding in findings(template, strict=strict)
        if finding.rule_id.startswith(("EDGE", "TEMPLATE"))
    ]


def test_a_good_template_has_no_findings_even_when_practices_are_asked_for() -> None:
    assert of_subject(GOOD, strict=True) == []


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_each_fault_is_found(fault: Fault) -> None:
    assert is_caught(GOOD, fault)


@pytest.mark.parametrize("fault", PRACTICES, ids=str)
def test_a_practice_is_found_only_where_it_is_asked_for(fault: Fault) -> None:
    assert is_caught(GOOD, fault, strict=True)
    assert not is_caught(GOOD, fault)


def test_a_backend_over_http_wants_a_certificate_in_practice() -> None:
    template = broken(GOOD, Fault("", "PostOrder/Integration/Type", "HTTP_PROXY"))
    template = broken(template, Fault("", "Live/ClientCertificateId"))
    assert ("EDGE-19", "Live") in ids(template, strict=True)


def test_a_firewall_of_another_stack_may_be_in_front() -> None:
    template = broken(GOOD, Fault("", "FirewallOfLive/ResourceArn", {"Fn::ImportValue": "stage"}))
    assert ("EDGE-13", "Live") not in ids(template)


def test_a_private_api_needs_no_firewall() -> None:
    template = broken(GOOD, Fault("", "Api/EndpointConfiguration/Types", ["PRIVATE"]))
    assert ("EDGE-13", "Live") not in ids(broken(template, Fault("", "FirewallOfLive")))


def test_a_usage_plan_throttles_its_stage() -> None:
    template = broken(GOOD, Fault("", "Live/MethodSettings"))
    template["Resources"]["Plan"] = {
        "Type": "AWS::ApiGateway::UsagePlan",
        "Properties": {
            "ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Live"}}],
            "Throttle": {"RateLimit": 10, "BurstLimit": 20},
        },
    }
    assert ("EDGE-12", "Live") not in ids(template)


def test_the_size_rule_of_the_common_rule_set_is_enough() -> None:
    template = broken(GOOD, Fault("", f"{RULES}/2/Statement/ManagedRuleGroupStatement/RuleActionOverrides"))
    assert ("EDGE-23", "Firewall") not in ids(broken(template, Fault("", f"{RULES}/1")))


def test_the_stage_that_a_deployment_makes_is_a_stage() -> None:
    template = broken(GOOD, Fault("", "Deployment/StageName", "quick"))
    assert {("EDGE-11", "Deployment"), ("EDGE-12", "Deployment"), ("EDGE-13", "Deployment")} <= ids(template)


def test_an_action_on_the_whole_world_of_a_key_policy_is_the_accounts_own() -> None:
    key = {
        "Type": "AWS::KMS::Key",
        "Properties": {
            "KeyPolicy": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
                        "Action": "kms:*",
                        "Resource": "*",
                    }
                ]
            }
        },
    }
    assert of_subject({"Resources": {"Key": key}}) == []
    key["Properties"]["KeyPolicy"]["Statement"][0]["Principal"] = {"AWS": "*"}  # type: ignore[index]
    assert of_subject({"Resources": {"Key": key}}) == [("EDGE-30", "Key", "")]

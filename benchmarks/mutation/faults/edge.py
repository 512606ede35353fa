"""Mutations of the edge: methods, validators, stages, the firewall, who may invoke."""

# ruff: noqa: E501 - a table, one mutation to a line

from benchmarks.mutation.mutation import change, delete, holding
from benchmarks.mutation.operators import empty, flip, opened, put, remove, without

API = "AWS::ApiGateway::RestApi"
METHOD = "AWS::ApiGateway::Method"
STAGE = "AWS::ApiGateway::Stage"
VALIDATOR = "AWS::ApiGateway::RequestValidator"
FIREWALL = "AWS::WAFv2::WebACL"
PERMISSION = "AWS::Lambda::Permission"
SETTINGS = "Properties.MethodSettings.*"
POSTED = holding("Properties.HttpMethod", "POST")
SIGNED = holding("Properties.AuthorizationType", "AWS_IAM")

EDGE = (
    change("method-open", METHOD, "Properties.AuthorizationType", put("NONE"), "everyone calls", SIGNED),
    change("method-open-default", METHOD, "Properties.AuthorizationType", remove, "everyone calls", SIGNED),
    change("method-unvalidated", METHOD, "Properties.RequestValidatorId", remove, "any body reaches the function", POSTED),
    change("validator-body-off", VALIDATOR, "Properties.ValidateRequestBody", flip, "any body reaches the function"),
    delete("validator-deleted", VALIDATOR, "any body reaches the function"),
    change("stage-traces-data", STAGE, f"{SETTINGS}.DataTraceEnabled", put(True), "feedback in the logs"),
    change("stage-no-throttle", STAGE, f"{SETTINGS}.ThrottlingRateLimit", remove, "one client takes all"),
    change("stage-no-burst", STAGE, f"{SETTINGS}.ThrottlingBurstLimit", remove, "one client takes all"),
    change("stage-throttle-huge", STAGE, f"{SETTINGS}.ThrottlingRateLimit", put(-1), "no limit"),
    change("stage-no-settings", STAGE, "Properties.MethodSettings", remove, "no limit, no metrics"),
    change("stage-no-access-log", STAGE, "Properties.AccessLogSetting", remove, "nobody knows who called"),
    change("stage-no-tracing", STAGE, "Properties.TracingEnabled", put(False), "a slow call cannot be followed"),
    change("stage-cache-plain", STAGE, f"{SETTINGS}.CacheDataEncrypted", put(False), "cached answers are readable"),
    delete("firewall-association-deleted", "AWS::WAFv2::WebACLAssociation", "the firewall stands aside"),
    change("firewall-no-rate-rule", FIREWALL, "Properties.Rules.[Name=RatePerAddress]", remove, "one address floods"),
    change("firewall-no-rules", FIREWALL, "Properties.Rules", empty, "the firewall lets all pass"),
    change("firewall-rate-counts", FIREWALL, "Properties.Rules.[Name=RatePerAddress].Action", put({"Count": {}}), "floods are counted, not stopped"),
    change("firewall-rules-count", FIREWALL, "Properties.Rules.*.OverrideAction", put({"Count": {}}), "attacks are counted, not stopped"),
    change("firewall-oversize", FIREWALL, "Properties.**.OversizeHandling", put("CONTINUE"), "what is too long passes unseen"),
    change("firewall-no-metrics", FIREWALL, "Properties.Rules.*.VisibilityConfig.CloudWatchMetricsEnabled", flip, "no alarm sees it"),
    change("permission-any-source", PERMISSION, "Properties", without("SourceArn", "SourceAccount"), "any API of anyone invokes"),
    change("permission-everyone", PERMISSION, "Properties", opened("*", "SourceArn", "SourceAccount"), "everyone invokes"),
    change("permission-everything", PERMISSION, "Properties.Action", put("lambda:*"), "the caller changes the function"),
    change("api-public-policy", API, "Properties.Policy", put({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}]}), "everyone calls"),
    change("function-url-open", "AWS::Lambda::Url", "Properties.AuthType", put("NONE"), "everyone calls"),
)  # fmt: skip

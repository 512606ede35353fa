"""The firewall in front of the API: a rate limit per address and AWS's managed rules.

Knows the rules, which of them may only count, and the log of what was blocked or counted. Does not know the API beyond
its stage's ARN.

Feedback is prose, and prose may quote markup, paths or commands; it is data everywhere in this product. The managed
rules that judge a body therefore count instead of blocking, since a blocked feedback is a lost one. A body that the
firewall cannot look at in full is refused, but for batches, which are as large as they need to be.
"""

from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.data_key import DataKey
from stacks.constructs.log_group import log_group

_BODY_RULES = (
    "CrossSiteScripting_BODY",
    "EC2MetaDataSSRF_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "SizeRestrictions_BODY",
)

_SEEN_BYTES = 64 * 1024


class WebAcl(Construct):
    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        protects: str,
        requests_per_address_per_five_minutes: int,
        key: DataKey,
        log_days: int,
    ) -> None:
        super().__init__(scope, id_)
        acl = wafv2.CfnWebACL
        rate = acl.RuleProperty(
            name="RatePerAddress",
            priority=0,
            action=acl.RuleActionProperty(block=acl.BlockActionProperty()),
            statement=acl.StatementProperty(
                rate_based_statement=acl.RateBasedStatementProperty(
                    limit=requests_per_address_per_five_minutes, aggregate_key_type="IP", evaluation_window_sec=300
                )
            ),
            visibility_config=_seen_as("RatePerAddress"),
        )
        self._acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            scope="REGIONAL",
            default_action=acl.DefaultActionProperty(allow=acl.AllowActionProperty()),
            description="Rate limit and managed rules in front of the feedback API",
            rules=[
                rate,
                _unseen_bodies(priority=4),
                _managed("AWSManagedRulesAmazonIpReputationList", priority=1),
                _managed("AWSManagedRulesCommonRuleSet", priority=2, counting=_BODY_RULES),
                _managed("AWSManagedRulesKnownBadInputsRuleSet", priority=3),
            ],
            association_config=acl.AssociationConfigProperty(
                request_body={
                    "API_GATEWAY": acl.RequestBodyAssociatedResourceTypeConfigProperty(
                        default_size_inspection_limit="KB_64"
                    )
                }
            ),
            visibility_config=_seen_as("FeedbackApi"),
        )
        wafv2.CfnWebACLAssociation(self, "Association", resource_arn=protects, web_acl_arn=self._acl.attr_arn)
        self._log(name, key, log_days)

    def _log(self, name: str, key: DataKey, days: int) -> None:
        """Only what a rule blocked or counted, and never who signed the request; bodies are not in these logs."""
        # WAF writes to log groups of this prefix only.
        logs = log_group(self, "Log", key=key, days=days, name=f"aws-waf-logs-{name}")
        conditions = [{"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")]
        wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self._acl.attr_arn,
            log_destination_configs=[arn("logs", f"log-group:{logs.log_group_name}")],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [{"Behavior": "KEEP", "Conditions": conditions, "Requirement": "MEETS_ANY"}],
            },
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": header})
                for header in ("authorization", "x-amz-security-token")
            ],
        )


def _unseen_bodies(*, priority: int) -> wafv2.CfnWebACL.RuleProperty:
    """Refuse what is larger than WAF looks at: 64 KB, several times the longest feedback in UTF-8."""
    acl = wafv2.CfnWebACL
    as_is = [acl.TextTransformationProperty(priority=0, type="NONE")]
    too_large = acl.StatementProperty(
        size_constraint_statement=acl.SizeConstraintStatementProperty(
            field_to_match=acl.FieldToMatchProperty(body=acl.BodyProperty(oversize_handling="MATCH")),
            comparison_operator="GT",
            size=_SEEN_BYTES,
            text_transformations=as_is,
        )
    )
    batch = acl.StatementProperty(
        byte_match_statement=acl.ByteMatchStatementProperty(
            field_to_match=acl.FieldToMatchProperty(uri_path={}),
            positional_constraint="ENDS_WITH",
            search_string="/batch",
            text_transformations=as_is,
        )
    )
    return acl.RuleProperty(
        name="UnseenBodies",
        priority=priority,
        action=acl.RuleActionProperty(
            block=acl.BlockActionProperty(custom_response=acl.CustomResponseProperty(response_code=413))
        ),
        statement=acl.StatementProperty(
            and_statement=acl.AndStatementProperty(
                statements=[
                    too_large,
                    acl.StatementProperty(not_statement=acl.NotStatementProperty(statement=batch)),
                ]
            )
        ),
        visibility_config=_seen_as("UnseenBodies"),
    )


def _managed(name: str, *, priority: int, counting: tuple[str, ...] = ()) -> wafv2.CfnWebACL.RuleProperty:
    acl = wafv2.CfnWebACL
    return acl.RuleProperty(
        name=name,
        priority=priority,
        override_action=acl.OverrideActionProperty(none={}),
        statement=acl.StatementProperty(
            managed_rule_group_statement=acl.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=name,
                rule_action_overrides=[
                    acl.RuleActionOverrideProperty(
                        name=rule, action_to_use=acl.RuleActionProperty(count=acl.CountActionProperty())
                    )
                    for rule in counting
                ]
                or None,
            )
        ),
        visibility_config=_seen_as(name),
    )


def _seen_as(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, sampled_requests_enabled=False, metric_name=metric
    )

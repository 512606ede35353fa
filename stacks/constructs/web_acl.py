"""The firewall in front of the API: a rate limit per address and AWS's managed rules.

Knows the rules and which of them may only count. Does not know the API beyond its stage's ARN.

Feedback is prose, and prose may quote markup, paths or commands; it is data everywhere in this product. The managed
rules that judge a body therefore count instead of blocking, since a blocked feedback is a lost one.
"""

from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

_BODY_RULES = (
    "CrossSiteScripting_BODY",
    "EC2MetaDataSSRF_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "SizeRestrictions_BODY",
)


class WebAcl(Construct):
    def __init__(
        self, scope: Construct, id_: str, *, protects: str, requests_per_address_per_five_minutes: int
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

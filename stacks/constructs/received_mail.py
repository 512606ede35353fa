"""Mail to a domain, received by SES into the drop bucket.

CloudFormation cannot make a set of receipt rules the active one: an operator does that once (docs/channels.md). Knows
SES. Does not know how a mail is read.
"""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.drop_box import DropBox


class ReceivedMail(Construct):
    def __init__(self, scope: Construct, id_: str, *, domain: str, drop_box: DropBox, prefix: str) -> None:
        super().__init__(scope, id_)
        rules = ses.CfnReceiptRuleSet(self, "Rules")
        own_rules = {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": arn("ses", f"receipt-rule-set/{rules.ref}:receipt-rule/*")},
        }
        mail = iam.ServicePrincipal("ses.amazonaws.com")
        drop_box.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ReceivedMail",
                principals=[mail],
                actions=["s3:PutObject"],
                resources=[f"{drop_box.bucket.bucket_arn}/{prefix}*"],
                conditions=own_rules,
            )
        )
        drop_box.key.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ReceivedMail",
                principals=[mail],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions=own_rules,
            )
        )
        rule = ses.CfnReceiptRule
        drop = ses.CfnReceiptRule(
            self,
            "Drop",
            rule_set_name=rules.ref,
            rule=rule.RuleProperty(
                enabled=True,
                recipients=[domain],
                scan_enabled=True,
                tls_policy="Require",
                actions=[
                    rule.ActionProperty(
                        s3_action=rule.S3ActionProperty(bucket_name=drop_box.name, object_key_prefix=prefix)
                    )
                ],
            ),
        )
        # SES tries the bucket when the rule is made.
        if drop_box.bucket.policy:
            drop.node.add_dependency(drop_box.bucket.policy)

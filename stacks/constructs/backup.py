"""A daily backup of a table into a vault of its own, which survives the table and the stack.

Point-in-time recovery goes with the table; a backup does not. Knows AWS Backup. Does not know the table's items.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_backup as backup
from constructs import Construct

from stacks.constructs.arns import arn
from stacks.constructs.data_key import DataKey
from stacks.constructs.role import Role, Statement


class DailyBackup(Construct):
    def __init__(self, scope: Construct, id_: str, *, name: str, table_arn: str, days: int, key: DataKey) -> None:
        super().__init__(scope, id_)
        vault = backup.CfnBackupVault(self, "Vault", backup_vault_name=name, encryption_key_arn=key.arn)
        vault.apply_removal_policy(RemovalPolicy.RETAIN)
        plans = backup.CfnBackupPlan
        plan = backup.CfnBackupPlan(
            self,
            "Plan",
            backup_plan=plans.BackupPlanResourceTypeProperty(
                backup_plan_name=name,
                backup_plan_rule=[
                    plans.BackupRuleResourceTypeProperty(
                        rule_name="Daily",
                        target_backup_vault=vault.ref,
                        schedule_expression="cron(0 2 * * ? *)",
                        start_window_minutes=60,
                        completion_window_minutes=360,
                        lifecycle=plans.LifecycleResourceTypeProperty(delete_after_days=days),
                    )
                ],
            ),
        )
        role = Role(
            self,
            "Access",
            service="backup",
            description="Backs up one table",
            statements=[
                # What AWS's own policy for backups allows on any table; which calls are made follows from whether the
                # account has AWS Backup's advanced features for DynamoDB:
                # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html
                Statement(
                    actions=[
                        "dynamodb:CreateBackup",
                        "dynamodb:DescribeTable",
                        "dynamodb:ListTagsOfResource",
                        "dynamodb:StartAwsBackupJob",
                    ],
                    resources=[table_arn],
                ),
                Statement(
                    actions=["dynamodb:DeleteBackup", "dynamodb:DescribeBackup"], resources=[f"{table_arn}/backup/*"]
                ),
                Statement(actions=["backup:DescribeBackupVault"], resources=[arn("backup", f"backup-vault:{name}")]),
                key.writing(),
                Statement(
                    actions=["kms:CreateGrant"],
                    resources=[key.arn],
                    conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
                ),
            ],
        )
        selections = backup.CfnBackupSelection
        selection = backup.CfnBackupSelection(
            self,
            "Selection",
            backup_plan_id=plan.ref,
            backup_selection=selections.BackupSelectionResourceTypeProperty(
                selection_name=name, iam_role_arn=role.arn, resources=[table_arn]
            ),
        )
        selection.node.add_dependency(role.policy)

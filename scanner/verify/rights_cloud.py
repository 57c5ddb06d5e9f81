"""
What the rights of the three clouds allow, in plain words.
"""

from __future__ import annotations

from collections.abc import Mapping

CLOUDS: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "aws": {
        "root": (3, "everything in the account, which no policy can limit"),
        "policy AdministratorAccess": (3, "everything in the account"),
        "policy PowerUserAccess": (3, "everything but users and rights"),
        "policy IAMFullAccess": (3, "make itself an administrator"),
        "policy ReadOnlyAccess": (2, "read all data of the account"),
        "policy SecurityAudit": (1, "read how everything is set up"),
        "policy ViewOnlyAccess": (1, "list resources"),
        "iam:CreateAccessKey": (3, "make access keys, which outlive this one"),
        "iam:AttachUserPolicy": (3, "give users any policy: make itself an administrator"),
        "iam:PutUserPolicy": (3, "write users' policies: make itself an administrator"),
        "iam:PassRole": (3, "run machines and functions under other roles"),
        "sts:AssumeRole": (2, "take other roles that trust it"),
        "secretsmanager:GetSecretValue": (3, "read secrets of Secrets Manager"),
        "secretsmanager:ListSecrets": (1, "list the names of secrets"),
        "ssm:GetParameter": (2, "read parameters, often secrets"),
        "kms:Decrypt": (3, "decrypt data"),
        "s3:GetObject": (2, "read stored objects"),
        "s3:PutObject": (3, "overwrite stored objects"),
        "s3:DeleteObject": (3, "delete stored objects"),
        "ec2:RunInstances": (3, "start machines, at your cost"),
        "lambda:UpdateFunctionCode": (3, "replace the code of functions"),
        "dynamodb:Scan": (2, "read tables"),
        "rds:DeleteDBInstance": (3, "delete databases"),
        "cloudtrail:StopLogging": (3, "stop the audit log"),
    },
    "gcp": {
        "resourcemanager.projects.setIamPolicy": (3, "give anybody any right in the project"),
        "iam.serviceAccountKeys.create": (3, "make keys of other service accounts"),
        "iam.serviceAccounts.getAccessToken": (3, "act as other service accounts"),
        "iam.serviceAccounts.actAs": (3, "run machines and functions as other service accounts"),
        "secretmanager.versions.access": (3, "read secrets of Secret Manager"),
        "cloudkms.cryptoKeyVersions.useToDecrypt": (3, "decrypt data"),
        "storage.objects.get": (2, "read stored objects"),
        "storage.objects.create": (3, "write stored objects"),
        "storage.objects.delete": (3, "delete stored objects"),
        "bigquery.tables.getData": (2, "read tables"),
        "compute.instances.create": (3, "start machines, at your cost"),
        "compute.instances.setMetadata": (3, "add SSH keys to machines"),
        "cloudfunctions.functions.update": (3, "replace the code of functions"),
        "container.secrets.list": (3, "read secrets of Kubernetes clusters"),
        "logging.sinks.delete": (3, "stop the export of logs"),
        "resourcemanager.projects.delete": (3, "delete the project"),
        "resourcemanager.projects.get": (0, "see the project"),
    },
}  # fmt: skip

"""Access: what writers and readers may do."""

from __future__ import annotations

from components.access import Access, AccessArgs
from tests.components.component_support import Deploy, Deployed, arn

TABLE = arn("dynamodb:{region}:{account}:table/orders")
BUCKET = "arn:aws:s3:::lake"
WORKGROUP = arn("athena:{region}:{account}:workgroup/shop")
DATA_CATALOG = arn("athena:{region}:{account}:datacatalog/AwsDataCatalog")
GLUE = arn("glue:{region}:{account}:")


def access(deploy: Deploy) -> Deployed:
    args = AccessArgs(
        table_arn=TABLE,
        bucket_arn=BUCKET,
        database_arn=f"{GLUE}database/shop",
        workgroup_arn=WORKGROUP,
    )
    return deploy(lambda: Access("access", args))


def test_a_writer_may_write_the_table_and_no_more(deploy: Deploy) -> None:
    assert access(deploy).find("Policy", "access-writer").allows == {
        "dynamodb:BatchWriteItem": {TABLE},
        "dynamodb:DeleteItem": {TABLE},
        "dynamodb:DescribeTable": {TABLE},
        "dynamodb:PutItem": {TABLE},
        "dynamodb:UpdateItem": {TABLE},
    }


def test_a_reader_may_ask_the_workgroup_about_the_database_and_no_more(deploy: Deploy) -> None:
    catalog = {f"{GLUE}catalog", f"{GLUE}database/shop", f"{GLUE}table/shop/*"}
    results = {f"{BUCKET}/athena-results/*"}
    assert access(deploy).find("Policy", "access-reader").allows == {
        "athena:BatchGetNamedQuery": {WORKGROUP},
        "athena:BatchGetQueryExecution": {WORKGROUP},
        "athena:GetNamedQuery": {WORKGROUP},
        "athena:GetQueryExecution": {WORKGROUP},
        "athena:GetQueryResults": {WORKGROUP},
        "athena:GetQueryResultsStream": {WORKGROUP},
        "athena:GetWorkGroup": {WORKGROUP},
        "athena:ListNamedQueries": {WORKGROUP},
        "athena:ListQueryExecutions": {WORKGROUP},
        "athena:StartQueryExecution": {WORKGROUP},
        "athena:StopQueryExecution": {WORKGROUP},
        "athena:GetDatabase": {DATA_CATALOG},
        "athena:GetDataCatalog": {DATA_CATALOG},
        "athena:GetTableMetadata": {DATA_CATALOG},
        "athena:ListDatabases": {DATA_CATALOG},
        "athena:ListTableMetadata": {DATA_CATALOG},
        # Athena itself looks for the database "default".
        "glue:GetDatabase": {*catalog, f"{GLUE}database/default"},
        "glue:GetDatabases": catalog,
        "glue:GetTable": catalog,
        "glue:GetTables": catalog,
        "glue:GetTableVersion": catalog,
        "glue:GetTableVersions": catalog,
        "glue:GetPartition": catalog,
        "glue:GetPartitions": catalog,
        "glue:BatchGetPartition": catalog,
        "s3:GetBucketLocation": {BUCKET},
        "s3:ListBucket": {BUCKET},
        "s3:ListBucketMultipartUploads": {BUCKET},
        "s3:GetObject": {f"{BUCKET}/{p}/*" for p in ("projection", "failed", "orders")} | results,
        "s3:PutObject": results,
        "s3:AbortMultipartUpload": results,
        "s3:ListMultipartUploadParts": results,
    }

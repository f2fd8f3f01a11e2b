"""Authorization: signatures, policies, and the caller's permissions inside a query."""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.account.aws import Credentials
from tests.athena.lab import ACCOUNT, BUCKET, REGION, Lab

GROUP = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/team"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"


def allow(*actions: str, on: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


ASK = allow("athena:*", on=[GROUP])
CATALOG = allow(
    "glue:GetDatabase",
    "glue:GetTable",
    "glue:GetTables",
    "glue:GetPartitions",
    on=[f"{GLUE}:catalog", f"{GLUE}:database/shop", f"{GLUE}:table/shop/*"],
)
LIST = allow("s3:ListBucket", "s3:GetBucketLocation", on=[f"arn:aws:s3:::{BUCKET}"])
DATA = allow("s3:GetObject", on=[f"arn:aws:s3:::{BUCKET}/orders/*"])
RESULTS = allow("s3:PutObject", "s3:GetObject", on=[f"arn:aws:s3:::{BUCKET}/results/*"])


def _refused(run) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        run()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_reader_with_just_the_permissions_reads(lab: Lab, orders) -> None:
    reader = lab.user("reader", ASK, CATALOG, LIST, DATA, RESULTS)
    answer = lab.ask("SELECT count(*) FROM orders", reader)
    assert (answer.state, answer.rows) == ("SUCCEEDED", [["3"]])
    mine = lab.aws.client("athena", reader)
    assert mine.get_query_results(QueryExecutionId=answer.id)["ResultSet"]["Rows"]
    assert mine.get_work_group(WorkGroup="team")["WorkGroup"]["Name"] == "team"


def test_a_role_acts_under_its_session(lab: Lab, orders) -> None:
    import json

    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
        ],
    }
    arn = lab.iam.create_role(RoleName="analyst", AssumeRolePolicyDocument=json.dumps(trust))[
        "Role"
    ]["Arn"]
    role = lab.aws.assume(arn, "morning")
    code, message = _refused(lambda: lab.ask("SELECT 1", role))
    assert code == "AccessDeniedException"
    assert message == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/analyst/morning is not authorized to perform: "
        f"athena:StartQueryExecution on resource: {GROUP} because no identity-based policy allows "
        "the athena:StartQueryExecution action"
    )
    document = {"Version": "2012-10-17", "Statement": [ASK, CATALOG, LIST, DATA, RESULTS]}
    lab.iam.put_role_policy(
        RoleName="analyst", PolicyName="own", PolicyDocument=json.dumps(document)
    )
    time.sleep(2.1)  # a decision is remembered for two seconds
    assert lab.ask("SELECT count(*) FROM orders", role).rows == [["3"]]


def test_another_work_group_is_denied_for_its_executions_too(lab: Lab) -> None:
    lab.athena.create_work_group(
        Name="secret",
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"}},
    )
    outsider = lab.user("outsider", ASK, CATALOG, LIST, DATA, RESULTS)
    athena = lab.aws.client("athena", outsider)
    hidden = lab.ask("SELECT 1", workgroup="secret").id
    for run in (
        lambda: lab.ask("SELECT 1", outsider, workgroup="secret"),
        lambda: athena.get_query_execution(QueryExecutionId=hidden),
        lambda: athena.get_query_results(QueryExecutionId=hidden),
        lambda: athena.stop_query_execution(QueryExecutionId=hidden),
        lambda: athena.list_query_executions(WorkGroup="secret"),
    ):
        code, message = _refused(run)
        assert code == "AccessDeniedException"
        assert f"on resource: arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/secret" in message
        assert f"User: {outsider.principal_arn} " in message


def test_an_explicit_deny_says_so(lab: Lab) -> None:
    denied = {"Effect": "Deny", "Action": "athena:StartQueryExecution", "Resource": "*"}
    code, message = _refused(lambda: lab.ask("SELECT 1", lab.user("denied", ASK, denied)))
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_without_the_glue_permission_the_query_fails(lab: Lab, orders) -> None:
    blind = lab.user("blind", ASK, LIST, DATA, RESULTS)
    answer = lab.ask("SELECT * FROM orders", blind)
    assert answer.state == "FAILED"
    assert answer.reason == (
        f"Insufficient permissions to execute the query. User: {blind.principal_arn} is not "
        f"authorized to perform: glue:GetTable on resource: {GLUE}:catalog because no "
        "identity-based policy allows the glue:GetTable action"
    )


def test_a_table_alone_needs_the_database_as_well(lab: Lab, orders) -> None:
    half = allow("glue:GetTable", on=[f"{GLUE}:catalog", f"{GLUE}:table/shop/*"])
    answer = lab.ask("SELECT * FROM orders", lab.user("half", ASK, half, LIST, DATA, RESULTS))
    assert f"glue:GetTable on resource: {GLUE}:database/shop" in answer.reason


def test_without_the_s3_permission_the_query_fails(lab: Lab, orders) -> None:
    answer = lab.ask("SELECT * FROM orders", lab.user("no-list", ASK, CATALOG, DATA, RESULTS))
    assert (answer.state, answer.reason) == (
        "FAILED",
        f"Permission denied on S3 path: s3://{BUCKET}/orders/",
    )
    lab.rows("SELECT count(*) FROM orders")  # in the cache, which opens it to nobody
    answer = lab.ask("SELECT * FROM orders", lab.user("no-get", ASK, CATALOG, LIST, RESULTS))
    assert answer.reason == f"Permission denied on S3 path: s3://{BUCKET}/orders/a.json.gz"


def test_without_write_permission_the_result_cannot_be_written(lab: Lab) -> None:
    reader = lab.user("no-put", ASK, CATALOG, LIST, DATA)
    answer = lab.ask("SELECT 1", reader)
    assert answer.state == "FAILED"
    assert answer.reason.startswith(
        f"Access denied when writing output to url: s3://{BUCKET}/results/{answer.id}.csv"
    )


def test_results_are_only_for_those_who_may_read_the_file(lab: Lab) -> None:
    starter = lab.user("starter", ASK)
    query = lab.ask("SELECT 1").id
    code, message = _refused(
        lambda: lab.aws.client("athena", starter).get_query_results(QueryExecutionId=query)
    )
    assert (code, "s3" in message) == ("InvalidRequestException", True)


# -- signatures ------------------------------------------------------------------------------------


def _client(
    lab: Lab, credentials: Credentials, region: str = REGION, service: str = "athena"
) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=lab.gateway.url,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
    )


def test_forged_requests_are_rejected(lab: Lab) -> None:
    known = lab.aws.root
    forged = [
        (Credentials("AKIANOBODY", "x", ""), "UnrecognizedClientException"),
        (Credentials(known.access_key_id, "wrong", ""), "InvalidSignatureException"),
        (
            Credentials(known.access_key_id, known.secret_access_key, "", "a-token"),
            "UnrecognizedClientException",
        ),
    ]
    for credentials, expected in forged:
        code, _ = _refused(lambda c=credentials: _client(lab, c).list_work_groups())
        assert code == expected
    code, message = _refused(lambda: _client(lab, known, "eu-west-1").list_work_groups())
    assert code == "InvalidSignatureException"
    assert "valid region" in message


def test_an_old_signature_is_rejected(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    import local.account.sigv4

    monkeypatch.setattr(local.account.sigv4, "_SKEW", timedelta(seconds=-1))
    code, message = _refused(lambda: _client(lab, lab.aws.root).list_work_groups())
    assert code == "InvalidSignatureException"
    assert message.startswith("Signature expired: ")


def test_a_changed_body_breaks_the_signature(lab: Lab) -> None:
    client = _client(lab, lab.aws.root)

    def change(request: Any, **_: Any) -> None:
        request.body = request.body.replace(b"SELECT 1", b"SELECT 2")

    client.meta.events.register("before-send", change)
    code, _ = _refused(
        lambda: client.start_query_execution(QueryString="SELECT 1", WorkGroup="team")
    )
    assert code == "InvalidSignatureException"


def test_requests_without_a_signature_or_for_another_service_are_rejected(lab: Lab) -> None:
    import urllib3

    http = urllib3.PoolManager()
    answer = http.request(
        "POST", lab.gateway.url, body=b"{}", headers={"X-Amz-Target": "AmazonAthena.ListWorkGroups"}
    )
    assert answer.json()["__type"] == "MissingAuthenticationTokenException"
    answer = http.request(
        "POST",
        lab.gateway.url,
        body=b"{}",
        headers={"X-Amz-Target": "DynamoDB_20120810.ListTables"},
    )
    assert (answer.status, answer.json()["__type"]) == (404, "UnknownOperationException")
    assert http.request("GET", lab.gateway.url + "/bucket/key").status == 404


def test_glue_is_authorised_on_its_real_resources(lab: Lab, orders) -> None:
    reader = lab.user("glue-reader", CATALOG)
    glue = _client(lab, reader, service="glue")
    assert glue.get_table(DatabaseName="shop", Name="orders")["Table"]["Name"] == "orders"
    assert glue.get_database(Name="shop")["Database"]["Name"] == "shop"
    assert glue.get_tables(DatabaseName="shop")["TableList"]
    code, message = _refused(lambda: glue.get_database(Name="elsewhere"))
    assert (code, f"{GLUE}:database/elsewhere" in message) == ("AccessDeniedException", True)
    code, message = _refused(lambda: glue.delete_table(DatabaseName="shop", Name="orders"))
    assert (code, "glue:DeleteTable" in message) == ("AccessDeniedException", True)
    code, message = _refused(lambda: glue.start_crawler(Name="c"))
    assert (code, f"{GLUE}:crawler/c" in message) == ("AccessDeniedException", True)


def test_an_intercepted_action_is_answered_here_after_authorisation(lab: Lab) -> None:
    seen: list[tuple[dict[str, Any], str]] = []

    def start(request: dict[str, Any], caller: Credentials) -> dict[str, Any]:
        seen.append((request, caller.access_key_id))
        return {}

    lab.gateway.intercept("glue", "StartCrawler", start)
    _client(lab, lab.aws.root, service="glue").start_crawler(Name="c")
    assert seen == [({"Name": "c"}, lab.aws.root.access_key_id)]
    nobody = lab.user("crawls-nothing", CATALOG)
    assert _refused(lambda: _client(lab, nobody, service="glue").start_crawler(Name="c"))[0] == (
        "AccessDeniedException"
    )
    assert len(seen) == 1


def test_errors_of_the_emulator_pass_through(lab: Lab) -> None:
    glue = _client(lab, lab.aws.root, service="glue")
    assert _refused(lambda: glue.get_table(DatabaseName="shop", Name="nope"))[0] == (
        "EntityNotFoundException"
    )

"""PrivateBucket: encrypted, not public, with expiry."""

from __future__ import annotations

import pytest

from components.arguments.checks import ArgumentError
from components.private_bucket import PrivateBucket, PrivateBucketArgs
from tests.components.component_support import Deploy, Deployed, once

BUCKET = "lake-bucket-1a2b3c4"


@once
def bucket(deploy: Deploy, *, protect: bool = True) -> Deployed:
    args = PrivateBucketArgs(expire_days_by_prefix={"rows/": 30, "answers/": 7}, protect=protect)
    return deploy(lambda: PrivateBucket("lake", args))


def test_no_other_account_has_access(deploy: Deploy) -> None:
    deployed = bucket(deploy)
    assert deployed.find("BucketPublicAccessBlock").inputs == {
        "bucket": BUCKET,
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    assert deployed.find("BucketOwnershipControls").inputs == {
        "bucket": BUCKET,
        "rule": {"objectOwnership": "BucketOwnerEnforced"},
    }


def test_it_is_encrypted_at_rest_and_in_transit(deploy: Deploy) -> None:
    deployed = bucket(deploy)
    assert deployed.find("BucketServerSideEncryptionConfiguration").inputs == {
        "bucket": BUCKET,
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
    }
    policy = deployed.find("BucketPolicy")
    assert policy.document["Statement"] == [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    assert "lake-public-access" in policy.depends_on


def test_objects_expire_prefix_by_prefix(deploy: Deploy) -> None:
    rules = bucket(deploy, protect=False).find("BucketLifecycleConfiguration").inputs["rules"]
    assert rules == [
        {
            "id": "expire-answers",
            "status": "Enabled",
            "filter": {"prefix": "answers/"},
            "expiration": {"days": 7},
        },
        {
            "id": "expire-rows",
            "status": "Enabled",
            "filter": {"prefix": "rows/"},
            "expiration": {"days": 30},
        },
        {
            "id": "leave-no-remains",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
        },
    ]


def test_a_protected_one_stays_and_keeps_old_versions_for_a_while(deploy: Deploy) -> None:
    deployed = bucket(deploy)
    found = deployed.find("Bucket", "lake-bucket")
    assert found.protect
    assert found.inputs == {"forceDestroy": False}
    assert deployed.find("BucketVersioning").inputs == {
        "bucket": BUCKET,
        "versioningConfiguration": {"status": "Enabled"},
    }
    lifecycle = deployed.find("BucketLifecycleConfiguration")
    assert lifecycle.inputs["rules"][-1]["noncurrentVersionExpiration"] == {"noncurrentDays": 7}
    assert "lake-versioning" in lifecycle.depends_on


def test_an_unprotected_one_goes_with_all_that_is_in_it(deploy: Deploy) -> None:
    deployed = bucket(deploy, protect=False)
    found = deployed.find("Bucket", "lake-bucket")
    assert not found.protect
    assert found.inputs == {"forceDestroy": True}
    assert not deployed.all("BucketVersioning")


@pytest.mark.parametrize("expiry", [{"rows": 1}, {"/rows/": 1}, {"rows/": 0}])
def test_a_prefix_is_a_folder_and_lasts_a_day(expiry: dict[str, int]) -> None:
    with pytest.raises(ArgumentError, match="expire_days_by_prefix"):
        PrivateBucketArgs(expire_days_by_prefix=expiry)

"""The Glue catalog, and the crawlers and jobs that `local.standins` runs."""

from __future__ import annotations

from typing import Any

from local.resources.registry import (
    Context,
    Created,
    Inputs,
    auto_name,
    creates,
    parameters,
    without,
)


@creates("aws:glue/catalogDatabase:CatalogDatabase")
def database(context: Context, name: str, inputs: Inputs) -> Created:
    """A database."""
    client = context.aws.client("glue", direct=True)
    physical = auto_name(context, name, inputs)
    given = {**without(inputs, "region", "tags", "tagsAll"), "name": physical}
    client.create_database(**parameters(client, "CreateDatabase", {"databaseInput": given}))
    arn = context.arn("glue", f"database/{physical}")
    catalog = context.aws.account_id
    return f"{catalog}:{physical}", {**inputs, "name": physical, "arn": arn, "catalogId": catalog}


@creates("aws:glue/catalogTable:CatalogTable")
def table(context: Context, name: str, inputs: Inputs) -> Created:
    """A table or a view."""
    client = context.aws.client("glue", direct=True)
    physical = auto_name(context, name, inputs)
    database_name = inputs["databaseName"]
    given = {**table_input(inputs), "name": physical}
    wanted = parameters(client, "CreateTable", {"databaseName": database_name, "tableInput": given})
    client.create_table(**wanted)
    arn = context.arn("glue", f"table/{database_name}/{physical}")
    identity = f"{context.aws.account_id}:{database_name}:{physical}"
    return identity, {**inputs, "name": physical, "arn": arn}


def table_input(inputs: Inputs) -> dict[str, Any]:
    """The ``TableInput`` as the provider sends it: empty SerDe info is left out."""
    given = without(inputs, "databaseName", "region")
    storage = given.get("storageDescriptor")
    if storage and not any((storage.get("serDeInfo") or {}).values()):
        given["storageDescriptor"] = without(storage, "serDeInfo")
    return given


@creates("aws:glue/classifier:Classifier")
def classifier(context: Context, name: str, inputs: Inputs) -> Created:
    """A classifier."""
    client = context.aws.client("glue", direct=True)
    physical = auto_name(context, name, inputs)
    given = {
        kind: {**value, "name": physical}
        for kind, value in without(inputs, "name", "region").items()
    }
    client.create_classifier(**parameters(client, "CreateClassifier", given))
    return physical, {**inputs, "name": physical}


@creates("aws:glue/crawler:Crawler")
def crawler(context: Context, name: str, inputs: Inputs) -> Created:
    """A crawler: described by the emulator, run by `local.standins.crawler`."""
    client = context.aws.client("glue", direct=True)
    physical = auto_name(context, name, inputs)
    given = {
        **without(inputs, "s3Targets", "securityConfiguration", "region", "tags", "tagsAll"),
        "name": physical,
        "targets": {"s3Targets": inputs["s3Targets"]},
        "crawlerSecurityConfiguration": inputs.get("securityConfiguration"),
    }
    wanted = parameters(client, "CreateCrawler", given)
    client.create_crawler(**wanted)
    context.define("crawlers", wanted)
    arn = context.arn("glue", f"crawler/{physical}")
    return physical, {**inputs, "name": physical, "arn": arn}


@creates("aws:glue/securityConfiguration:SecurityConfiguration")
def security_configuration(context: Context, name: str, inputs: Inputs) -> Created:
    """The encryption settings of crawlers and jobs."""
    client = context.aws.client("glue", direct=True)
    physical = auto_name(context, name, inputs)
    encryption = inputs["encryptionConfiguration"]
    given = {
        "name": physical,
        "encryptionConfiguration": {**encryption, "s3Encryption": [encryption["s3Encryption"]]},
    }
    client.create_security_configuration(**parameters(client, "CreateSecurityConfiguration", given))
    return physical, {**inputs, "name": physical}


@creates("aws:glue/job:Job")
def job(context: Context, name: str, inputs: Inputs) -> Created:
    """A job: described by the emulator, run by `local.standins.glue_jobs`."""
    client = context.aws.client("glue", direct=True)
    physical = auto_name(context, name, inputs)
    given = {
        **without(inputs, "region", "roleArn", "tags", "tagsAll"),
        "name": physical,
        "role": inputs["roleArn"],
    }
    wanted = parameters(client, "CreateJob", given)
    client.create_job(**wanted)
    context.define("jobs", wanted)
    arn = context.arn("glue", f"job/{physical}")
    return physical, {**inputs, "name": physical, "arn": arn}


@creates("aws:glue/trigger:Trigger")
def trigger(context: Context, name: str, inputs: Inputs) -> Created:
    """A trigger: described by the emulator, never fired."""
    client = context.aws.client("glue", direct=True)
    physical = auto_name(context, name, inputs)
    given = {**without(inputs, "region", "tags", "tagsAll"), "name": physical}
    client.create_trigger(**parameters(client, "CreateTrigger", given))
    arn = context.arn("glue", f"trigger/{physical}")
    return physical, {**inputs, "name": physical, "arn": arn}

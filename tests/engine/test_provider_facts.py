"""The table of the provider's peculiarities: complete, and as pulumi-aws has it."""

from __future__ import annotations

import inspect
import re

import pytest
from pulumi import _types

from tests.components.component_support import with_hashed_columns
from tests.engine import lifecycle, provider_facts
from tests.engine.provider_facts import EVERYTHING, FACTS
from tests.schema_check import pulumi_types

TABLE = "aws:dynamodb/table:Table"
EVERYTHING_ON = {
    "alarmEmail": "me@example.org",
    "batchSchedule": "cron(0 4 * * ? *)",
    "dashboard": "true",
    "dashboardPrincipalArn": "arn:aws:quicksight:eu-central-1:123456789012:user/default/admin",
    "kmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1a2b",
    "orderGenerator": "true",
}


def never_empty(token: str) -> set[str]:
    """The inputs that can be left out although the provider always has a value of them."""
    names = {
        getattr(one.fget, "_pulumi_name", python): str(
            inspect.signature(one.fget).return_annotation
        )
        for python, one in vars(pulumi_types.resource(token)).items()
        if isinstance(one, property)
    }
    arguments = pulumi_types.arguments(token)
    wire = _types.input_type_py_to_pulumi_names(arguments)
    required = {
        wire[python]
        for python, one in inspect.signature(arguments.__init__).parameters.items()  # type: ignore[misc]
        if python in wire and one.default is inspect.Parameter.empty
    }
    known = pulumi_types.inputs(token) & names.keys()
    return {key for key in known - required if not re.search(r"Optional|None", names[key])}


def test_every_type_that_the_program_registers_has_an_entry() -> None:
    seen = with_hashed_columns("test", EVERYTHING_ON)
    kinds = {one.urn.split("::")[2].split("$")[-1] for one in seen.resources}
    registered = {kind for kind in kinds if kind.startswith("aws:")}
    assert "aws:quicksight/dataSet:DataSet" in registered
    assert set(FACTS) == registered | set(lifecycle.LIFECYCLES)


@pytest.mark.parametrize("token", sorted(FACTS))
def test_the_attributes_that_are_kept_are_those_of_pulumi_aws(token: str) -> None:
    facts = FACTS[token]
    named = {facts.name.key} if facts.name and facts.name.automatic else set()
    kept = {path for path in facts.computed if "." not in path}
    assert kept - named == never_empty(token) - named - {"region"} - _keys_of_objects(token)


def _keys_of_objects(token: str) -> set[str]:
    """An object's `key` has a default of Pulumi's own; the program always gives it."""
    return {"key"} if token.endswith(":BucketObjectv2") else set()


@pytest.mark.parametrize("token", sorted(FACTS))
def test_every_name_is_an_input(token: str) -> None:
    facts = FACTS[token]
    paths = facts.computed | facts.vanishing | facts.switches.keys() | facts.unsent_zeros.keys()
    firsts = {path.split(".")[0] for path in paths} | facts.never_cleared | facts.json_text
    assert (firsts | facts.replaces) - {"*"} <= pulumi_types.inputs(token)


@pytest.mark.parametrize("token", sorted(FACTS))
def test_it_replaces_wherever_the_real_provider_says_that_it_does(token: str) -> None:
    forces = re.compile(r"forces? (a )?(new|replacement|re-?creation)|re-?create", re.I)
    documented = {
        key
        for key, text in pulumi_types.descriptions(token).items()
        if forces.search(text) and key != "region"  # of every type, and one for a stack
    }
    one = FACTS[token]
    assert one.replaces == EVERYTHING or documented <= one.replaces


@pytest.mark.parametrize(
    ("stored", "given", "changed"),
    [
        ({"ttl": {"enabled": True, "attributeName": "a"}}, {}, set()),
        ({"ttl": {"enabled": True, "attributeName": "a"}}, {"ttl": {"enabled": False}}, {"ttl"}),
        ({}, {"ttl": {"enabled": False}}, set()),
        ({}, {"ttl": {"enabled": False, "attributeName": "a"}}, set()),
        ({}, {"serverSideEncryption": {"enabled": False}}, set()),
        (
            {"serverSideEncryption": {"enabled": True, "kmsKeyArn": "k"}},
            {"serverSideEncryption": {"enabled": True}},
            set(),
        ),
        (
            {"serverSideEncryption": {"enabled": True, "kmsKeyArn": "k"}},
            {"serverSideEncryption": {"enabled": False}},
            {"serverSideEncryption"},
        ),
        ({"deletionProtectionEnabled": True}, {}, {"deletionProtectionEnabled"}),
    ],
)
def test_what_is_left_out_of_a_table(
    stored: dict[str, object], given: dict[str, object], changed: set[str]
) -> None:
    """As terraform-plugin-sdk and the bridge answered for the same schema."""
    assert provider_facts.of(TABLE).changed(stored, given) == changed


def test_a_kept_key_is_sent_again_and_one_of_a_block_that_is_off_is_not() -> None:
    facts = provider_facts.of(TABLE)
    stored = {"serverSideEncryption": {"enabled": True, "kmsKeyArn": "k"}}
    assert facts.planned(stored, {"serverSideEncryption": {"enabled": True}}) == stored
    off = {"serverSideEncryption": {"enabled": False}}
    assert facts.planned(stored, off) == off
    assert facts.updated(stored, off) == {}


def test_an_empty_block_is_a_change_for_ever() -> None:
    facts = provider_facts.of("aws:glue/catalogTable:CatalogTable")
    view = {"storageDescriptor": {"columns": [], "serDeInfo": {}}}
    stored = facts.created(view)
    assert facts.changed(stored, view) == {"storageDescriptor"}
    stored = facts.updated(stored, view)
    assert facts.changed(stored, view) == {"storageDescriptor"}


def test_a_parameter_of_the_default_value_is_a_change_for_ever() -> None:
    facts = provider_facts.of("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream")

    def given(size: str) -> dict[str, object]:
        parameters = [{"parameterName": "BufferSizeInMBs", "parameterValue": size}]
        processing = {"processors": [{"type": "Lambda", "parameters": parameters}]}
        return {"extendedS3Configuration": {"processingConfiguration": processing}}

    assert facts.changed(facts.created(given("1")), given("1")) == {"extendedS3Configuration"}
    assert facts.changed(facts.created(given("2")), given("2")) == set()


def test_a_zero_that_is_not_sent_is_a_change_that_the_first_update_ends() -> None:
    facts = provider_facts.of("aws:pipes/pipe:Pipe")
    given = {"sourceParameters": {"dynamodbStreamParameters": {"maximumRetryAttempts": 0}}}
    stored = facts.created(given)
    assert facts.changed(stored, given) == {"sourceParameters"}
    assert facts.changed(facts.updated(stored, given), given) == set()


def test_what_an_update_does_not_send_stays() -> None:
    facts = provider_facts.of("aws:glue/crawler:Crawler")
    stored = facts.updated({"securityConfiguration": "own-key"}, {})
    assert stored == {"securityConfiguration": "own-key"}
    assert facts.changed(stored, {}) == {"securityConfiguration"}


def test_policies_are_compared_as_json() -> None:
    facts = provider_facts.of("aws:iam/policy:Policy")
    assert facts.changed({"policy": '{"a": 1, "b": 2}'}, {"policy": '{"b":2,"a":1}'}) == set()


@pytest.mark.parametrize("token", sorted(FACTS))
def test_a_name_is_held_to_its_form_and_length(token: str) -> None:
    name = FACTS[token].name
    if name is None:
        return
    assert name.problem("sales-cdc-dev-orders-0a1b2c3") is None
    assert name.problem("x" * 600)

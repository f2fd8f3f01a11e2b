"""The local Athena against Trino: each golden statement has Trino's answer, or is refused."""

from __future__ import annotations

import re

import pytest

from local.athena import calls, results, statements
from local.athena.duckdb_errors import trino_errors
from local.athena.errors import QueryError
from local.athena.special_functions import RULES
from local.athena.sql import SqlSyntaxError, UnsupportedError
from tests.athena import golden
from tests.athena.lab import DATABASE, Lab


@pytest.fixture(scope="module")
def tables(lab: Lab) -> Lab:
    golden.make_tables(lab)
    return lab


def local_answer(lab: Lab, sql: str, tmp_path) -> dict:
    """``types`` and ``rows`` as text, or ``error`` and ``message``."""
    engine = lab.gateway._athena._engine
    session = engine.session(lab.aws.root, DATABASE)
    file = tmp_path / "answer.csv"
    try:
        statement = statements.read(sql, [])
        query = engine.prepare(session, statement.tree)
        with trino_errors():
            results.write_csv(session.cursor, query.sql, query.labels, query.types, file)
        rows = [list(row) for row in results.read_csv(file.read_bytes())[1:]]
        return {"types": [str(one) for one in query.types], "rows": rows}
    except SqlSyntaxError as error:
        if isinstance(error, UnsupportedError):
            return {"error": "NOT_SUPPORTED", "message": str(error)}
        return {"error": "SYNTAX_ERROR", "message": str(error)}
    except QueryError as error:
        return {"error": error.name, "message": str(error)}
    finally:
        session.cursor.close()


def judged(  # noqa: PLR0911  (one a kind of difference)
    statement: golden.Statement, trino: dict, local: dict
) -> str | None:
    """What is wrong with the local answer, if something is."""
    if local.get("error") == "NOT_SUPPORTED" and trino.get("error") != "NOT_SUPPORTED":
        what = local["message"].partition("does not support ")[2]
        if statement.refused is None:
            return f"is refused: {what}"
        return None if statement.refused == what else f"is refused for another reason: {what}"
    if statement.refused is not None:
        return f"is no longer refused ({statement.refused})"
    if "error" in trino:
        if "error" not in local:
            return f"fails in Trino ({trino['error']}), here it answers {local['rows']}"
        wanted = statement.fails or trino["error"]
        name = local["error"]
        return None if name == wanted else f"fails with {name}, not {wanted}: {local['message']}"
    if statement.fails is not None:
        return "fails in Trino no more"
    if "error" in local:
        return f"fails here: {local['message']}, Trino answers {trino['rows']}"
    kinds = [golden.athena_type(one) for one in trino["types"]]
    if kinds != local["types"]:
        return f"has the types {local['types']}, in Trino {kinds}"
    rows = [
        [golden.athena_text(v, k) for v, k in zip(row, trino["types"], strict=True)]
        for row in trino["rows"]
    ]
    found = local["rows"]
    if not golden.is_ordered(statement.sql):
        rows, found = sorted(rows, key=str), sorted(found, key=str)
    return None if rows == found else f"answers {found}, Trino {rows}"


@pytest.mark.parametrize("area", golden.areas())
def test_every_statement_has_the_answer_of_trino_or_is_refused(tables: Lab, area: str, tmp_path):
    answers, wrong = golden.answers(area), []
    for statement in golden.statements(area):
        local = local_answer(tables, statement.sql, tmp_path)
        found = judged(statement, answers[statement.sql], local)
        if found:
            wrong.append(f"{statement.line}\n    {found}")
    assert not wrong, f"{len(wrong)} statements:\n" + "\n".join(wrong)


def test_every_function_that_is_passed_on_has_golden_statements() -> None:
    agreed = [
        one.sql.lower()
        for area in golden.areas()
        for one in golden.statements(area)
        if not one.refused
    ]
    missing = [
        name
        for name in sorted({*calls.names(), *RULES})
        if not any(re.search(rf"\b{re.escape(name)}\b", sql) for sql in agreed)
    ]
    assert missing == []


def test_every_answer_belongs_to_a_statement() -> None:
    for area in golden.areas():
        assert {one.sql for one in golden.statements(area)} == set(golden.answers(area)), area

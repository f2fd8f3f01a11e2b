"""The page in a real browser, on a stack with incoming orders; the tests run in order.

Those that only look share one page, opened on the empty lake: to open one takes seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.dashboard.conftest import REFRESH, Look, Stack, dashboard, until

Open = Callable[..., Look]


def headline(stack: Stack, days: int) -> dict[str, str]:
    """The queries' current results, formatted as on the page."""
    (total,) = stack.ask("average_order_value", days=days)
    funnel = {row["stage"]: row for row in stack.ask("order_funnel", days=days)}
    return {
        "Revenue": f"${Decimal(str(total['revenue'])):,.2f}",
        "Orders": f"{total['orders']:,}",
        "Average order": f"${total['average_order_value']:,.2f}",
        "Cancelled": f"{funnel['cancelled']['share_of_placed']:.1%}",
    }


def shown(page: Look) -> dict[str, str]:
    figures = page.figures()
    figures.pop("Freshness", None)
    return figures


def test_no_athena_says_what_to_look_at(stack: Stack, look: Open) -> None:
    gone = {"AWS_ENDPOINT_URL_ATHENA": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    with dashboard(stack.env | gone) as url:
        page = look(url)
        page.wait_for("Athena queries fail")
        page.wait_for("127.0.0.1:1")
        assert stack.outputs["workgroupName"] in page.text
        assert "readerPolicyArn" in page.text
        assert "Traceback" not in page.text


def test_credentials_that_aws_does_not_know_are_said_to_be_so(stack: Stack, look: Open) -> None:
    with dashboard(stack.env | {"AWS_ACCESS_KEY_ID": "AKIANOBODY"}) as url:
        page = look(url)
        page.wait_for("Athena queries fail")
        page.wait_for("the AWS credentials were not accepted")


def test_an_empty_lake_says_how_to_fill_it(page: Look) -> None:
    page.wait_for("The lake is empty so far")
    page.wait_for("python -m generator")
    assert "dead-letter queue" in page.text
    assert page.figures() == {}


def test_the_empty_page_becomes_the_dashboard_by_itself(stack: Stack, page: Look) -> None:
    page.wait_for("The lake is empty so far")
    stack.place(40)
    page.settle()
    assert "The lake is empty so far" not in page.text


def test_the_page_shows_what_the_questions_answer(stack: Stack, page: Look) -> None:
    page.settle()
    until(lambda: shown(page) == headline(stack, 7))
    assert page.figures()["Freshness"].endswith(" s")
    assert not page.errors


def test_the_figures_move_after_new_orders_without_a_reload(stack: Stack, page: Look) -> None:
    page.settle()
    before = shown(page)
    stack.place(25)
    until(lambda: shown(page) != before)
    until(lambda: shown(page) == headline(stack, 7))
    assert int(shown(page)["Orders"]) > int(before["Orders"])


def test_another_window_asks_about_other_days(stack: Stack, page: Look) -> None:
    page.settle()
    page.page.get_by_text("Today", exact=True).click()
    page.wait_for("Revenue by hour, today")
    until(lambda: shown(page) == headline(stack, 1))
    page.page.get_by_text("30 days", exact=True).click()
    page.wait_for("Revenue by day")
    until(lambda: shown(page) == headline(stack, 30))
    page.page.get_by_text("7 days", exact=True).click()
    until(lambda: shown(page) == headline(stack, 7))


def test_recent_changes_are_the_newest_ones(stack: Stack, page: Look) -> None:
    page.settle()
    newest = stack.ask("recent_changes", top=3)
    page.page.get_by_test_id("stDataFrame").first.scroll_into_view_if_needed()
    until(lambda: len(page.table(0)) > 3)
    header, *rows = page.table(0)
    assert [name for name in header if name][:4] == ["Time (UTC)", "Change", "Status", "Product"]
    for row, change in zip(rows, newest, strict=False):
        assert change["product_name"] in row
        assert change["status"] in row


def test_a_failed_record_is_shown_with_its_reason(stack: Stack, page: Look) -> None:
    page.wait_for("None: every change became a row.")
    stack_client(stack, "kinesis").put_record(
        StreamName=stack.outputs["kinesisStreamName"], Data=b"no JSON", PartitionKey="x"
    )
    until(lambda: stack.ask("failed_records"))
    page.wait_for("The transform's log group has the reason for each.")
    (failed,) = stack.ask("failed_records")
    page.page.get_by_test_id("stDataFrame").first.scroll_into_view_if_needed()
    until(lambda: any(failed["errorcode"] in row for row in page.table(0)))


def stack_client(stack: Stack, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=stack.env["AWS_ENDPOINT_URL"],
        aws_access_key_id=stack.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=stack.env["AWS_SECRET_ACCESS_KEY"],
        region_name=stack.env["AWS_REGION"],
    )


def test_nothing_comes_from_elsewhere(url: str, page: Look) -> None:
    page.wait_for("Recent changes")
    elsewhere = [one for one in page.asked if not one.startswith((url, "data:", "blob:"))]
    assert not elsewhere


def test_it_fits_a_phone(phone: Look) -> None:
    phone.settle()
    phone.wait_for("Recent changes")
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 375
    cards = phone.page.get_by_test_id("stMetric")
    for i in range(cards.count()):
        box = cards.nth(i).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 375
        value = cards.nth(i).get_by_test_id("stMetricValue")
        assert value.evaluate("e => e.scrollWidth <= e.clientWidth"), "a figure is cut off"


def test_it_is_dark_where_the_system_is(page: Look, phone: Look) -> None:
    def brightness(page: Look, property_: str) -> float:
        page.settle()
        colour = page.page.get_by_test_id("stApp").evaluate(f"e => getComputedStyle(e).{property_}")
        red, green, blue = colour.removeprefix("rgb(").removesuffix(")").split(",")[:3]
        return (int(red) + int(green) + int(blue)) / 765

    assert brightness(page, "backgroundColor") > 0.9
    assert brightness(page, "color") < 0.4
    assert brightness(phone, "backgroundColor") < 0.2
    assert brightness(phone, "color") > 0.6


def test_an_unchanged_lake_costs_two_queries_a_look_however_many_look(
    stack: Stack, url: str, page: Look, phone: Look, look: Open
) -> None:
    pages = [page, phone, look(url)]
    for one in pages:
        one.settle()
        until(lambda one=one: shown(one) == headline(stack, 7))
    # Nothing new arrives: the two questions that would notice it, and no others.
    until(lambda: all("This time: 2 queries" in one.text for one in pages))
    asked = [*map(total_queries, pages)]
    started = time.monotonic()
    time.sleep(3 * REFRESH)
    rounds = (time.monotonic() - started) / REFRESH + 1
    assert max(map(total_queries, pages)) - min(asked) <= 2 * (rounds + 1)


def total_queries(page: Look) -> int:
    return int(page.text.split("Since the start: ")[1].split(" queries")[0].replace(",", ""))


def test_figures_stay_when_athena_goes_away(stack: Stack, page: Look) -> None:
    """Runs last: it stops the stack."""
    page.settle()
    before = shown(page)
    stack.stop()
    page.wait_for("These figures could not be updated")
    page.wait_for("cannot reach AWS")
    assert shown(page) == before

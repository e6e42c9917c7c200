"""The report in a real browser: it draws, sorts and searches, fits the screen, and lets nothing from a log run."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import runs
from runs import HOSTILE

from bitrate.report.html import write_html

pytestmark = pytest.mark.browser
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


SAMPLES = {
    "usual": runs.usual,
    "losing": runs.losing,
    "sparse": runs.sparse,
    "graded": runs.graded,
    "hostile": runs.hostile,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; the tests are skipped where it is not at hand."""
    if os.environ.get("BITRATE_NO_BROWSER"):
        pytest.skip("BITRATE_NO_BROWSER is set")
    if CHROMIUM is None:
        pytest.skip("no Chromium on the path")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report of each sample."""
    folder = tmp_path_factory.mktemp("reports")
    return {name: write_html(make(), folder / f"{name}.html") for name, make in SAMPLES.items()}


@pytest.fixture
def opened(browser: Any, reports: dict[str, Path]) -> Iterator[Callable[..., Any]]:
    """Open a report and wait until it is drawn; at the end nothing was fetched and the console is silent."""
    said: list[str] = []
    asked: list[str] = []
    contexts = []

    def show(name: str, width: int = 1280, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{name}: {message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"{name}: {error}"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(reports[name].as_uri())
        page.wait_for_selector("html[data-drawn]")
        return page

    yield show
    for context in contexts:
        context.close()
    assert said == []
    assert asked == [u for u in asked if u in {path.as_uri() for path in reports.values()}]
    assert len(asked) == len(contexts)


def first_column(page: Any) -> list[str]:
    """Ids of the prompts that the table shows."""
    return page.eval_on_selector_all("#prompts tbody td.text span", "cells => cells.map(c => c.textContent)")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_page_scrolls_sideways_and_no_chart_is_wider_than_its_place(
    opened: Callable[..., Any], name: str, width: int
) -> None:
    page = opened(name, width)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sizes = page.eval_on_selector_all(
        ".chart", "places => places.map(p => [p.clientWidth, p.querySelector('svg').getBoundingClientRect().width])"
    )
    assert sizes
    assert all(0 < drawn <= place + 0.5 for place, drawn in sizes)


def test_hostile_text_is_shown_and_does_nothing(opened: Callable[..., Any]) -> None:
    page, usual = opened("hostile"), opened("usual")
    page.fill("#search", "window.pwned")
    for tag in ("script", "img", "iframe", "svg [onload]", "link", "a"):
        assert page.locator(tag).count() == usual.locator(tag).count(), tag
    assert page.evaluate("typeof window.pwned") == "undefined"
    text = page.evaluate("document.body.innerText")
    for shown in (HOSTILE[0], HOSTILE[2], "{{7*7}}{% raw %}${7*7}", "\\u202eright to left", "\\x1b[31mred"):
        assert shown in text
    assert any(HOSTILE[1] in cell for cell in first_column(page))


def test_hostile_text_does_nothing_in_a_tooltip(opened: Callable[..., Any]) -> None:
    page = opened("hostile")
    slot = page.locator('[data-chart="ledger_prompt"] path[stroke-dasharray]').first
    slot.scroll_into_view_if_needed()
    box = slot.bounding_box()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert "<script>window.pwned=1</script>" in tip.inner_text()
    assert page.locator("#vg-tooltip-element img, #vg-tooltip-element script").count() == 0
    assert page.evaluate("typeof window.pwned") == "undefined"


def test_the_table_sorts_both_ways(opened: Callable[..., Any]) -> None:
    page = opened("usual")
    expected = sorted(row.prompt_id for row in runs.usual().series.prompts)
    button = page.locator('#prompts th[data-key="prompt_id"] button')
    button.click()
    assert first_column(page) == expected[:25]
    button.click()
    assert first_column(page) == expected[::-1][:25]
    assert page.get_attribute('#prompts th[data-key="prompt_id"]', "aria-sort") == "descending"
    page.locator('#prompts th[data-key="pass_rate"] button').click()
    column = "cells => cells.map(c => parseInt(c.textContent))"
    shown = page.eval_on_selector_all("#prompts tbody td:nth-child(3)", column)
    assert shown == sorted(shown, reverse=True)


def test_the_table_searches_and_turns_pages(opened: Callable[..., Any]) -> None:
    page = opened("usual")
    page.click("#next")
    assert page.inner_text("#range") == "26 to 50 of 120"
    page.fill("#search", "What is 20 +")
    assert first_column(page) == ["0003"]
    assert page.inner_text("#range") == "1 to 1 of 1"
    page.fill("#search", "nothing like it")
    assert first_column(page) == []
    assert page.inner_text("#range") == "0 to 0 of 0"


def test_light_and_dark_follow_the_system_and_the_button(opened: Callable[..., Any]) -> None:
    page = opened("usual", scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('[data-chart=ledger_rollout] .mark-text text')).fill"
    dark = page.evaluate(ground), page.evaluate(ink)
    page.click("#theme")
    page.wait_for_selector('html[data-drawn="light"]')
    light = page.evaluate(ground), page.evaluate(ink)
    assert light[0] == "rgb(255, 255, 255)"
    assert all(a != b for a, b in zip(dark, light, strict=True))


def test_five_thousand_prompts_stay_quick(opened: Callable[..., Any], reports: dict[str, Path], tmp_path: Path) -> None:
    usual = runs.usual()
    rows = tuple(replace(row, prompt_id=f"{i:04d}") for i in range(42) for row in usual.series.prompts)[:5000]
    many = replace(usual, series=replace(usual.series, prompts=rows))
    reports["many"] = write_html(many, tmp_path / "many.html")
    page = opened("many")
    took = page.evaluate(
        """() => {
          const search = document.getElementById("search"), start = performance.now();
          search.value = "9";
          search.dispatchEvent(new Event("input"));
          return performance.now() - start;
        }"""
    )
    assert "of 5000" not in page.inner_text("#range")
    assert took < 1000

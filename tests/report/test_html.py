"""The report as a file: whole, small, and with nothing of a log's text as markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import runs
from hypothesis import given
from hypothesis import strategies as st

from bitrate import Audit
from bitrate.meter.lines import all_lines
from bitrate.report import sentences
from bitrate.report.html import render, safe_json, write_html


class Page(HTMLParser):
    """Tags, attributes, visible text, and what stands inside script and style elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.inside.get(self.lasttag, self.text).append(data)


def data_of(page: str) -> dict[str, Any]:
    """The JSON block of a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_hostile_text_adds_no_element_and_no_attribute(audit: Audit, hostile: Audit) -> None:
    usual, attacked = Page(render(audit)), Page(render(hostile))
    assert attacked.tags["script"] == usual.tags["script"] == 3
    assert set(attacked.tags) <= set(usual.tags)
    assert not [
        name for _, name, _ in attacked.attributes if name.startswith("on") or name in {"src", "style", "srcdoc"}
    ]
    text = "".join(attacked.text)
    for shown in ("<script>window.pwned=1</script>", "<img src=x onerror=window.pwned=3>", "{{7*7}}{% raw %}${7*7}"):
        assert shown in text
    assert "49" not in text.partition("{{7*7}}")[2][:20]


def test_nothing_is_fetched(audit: Audit) -> None:
    page = Page(render(audit))
    assert [(tag, name, value) for tag, name, value in page.attributes if name in {"src", "href", "action"}] == [
        ("link", "href", "data:,")
    ]
    assert "url(" not in "".join(page.inside["style"])


def test_the_policy_allows_exactly_the_scripts_and_the_style_of_the_page(hostile: Audit) -> None:
    text = render(hostile)
    page = Page(text)
    policy = next(
        v for tag, name, v in page.attributes if tag == "meta" and name == "content" and v and "default-src" in v
    )
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    code = [
        *re.findall(r"<script>(.*?)</script>", text, re.DOTALL),
        *re.findall(r"<style>(.*?)</style>", text, re.DOTALL),
    ]
    assert allowed == {base64.b64encode(hashlib.sha256(c.encode()).digest()).decode() for c in code}
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy


@given(st.text())
def test_json_in_a_script_is_read_back_and_cannot_leave_it(text: str) -> None:
    embedded = safe_json({text: [text]})
    assert json.loads(embedded) == {text: [text]}
    assert not set("<>&\u2028\u2029") & set(embedded)


def test_missing_figures_are_words_in_every_place(sparse: Audit) -> None:
    text = " ".join("".join(Page(render(sparse)).text).split())
    assert text.count("every group holds one rollout") >= 10
    assert "None" not in text
    assert "nan" not in text.lower().split()


def test_methods_and_reasons_of_all_figures_are_in_the_page(audit: Audit) -> None:
    text = "".join(Page(render(audit)).text)
    for figure in sentences.figures(audit):
        assert (figure.reason or figure.method) in text
    for part in (audit.command, *audit.caveats, *(a.text for a in audit.advice), *audit.quarantine[0].where):
        assert part in text


def test_every_line_of_the_ledger_is_in_the_page_with_what_it_means(audit: Audit) -> None:
    page = render(audit)
    drawn = json.dumps(data_of(page)["charts"])
    text = "".join(Page(page).text)
    for line in all_lines().values():
        if line.special:
            continue
        assert line.means in text
        assert f'"name": "{line.name}"' in drawn


def test_prompts_are_cut_short_and_stay_in_the_json(hostile: Audit) -> None:
    found = data_of(render(hostile))
    assert len(found["prompts"]) == len(hostile.series.prompts)
    assert max(len(str(cell)) for row in found["prompts"] for cell in row) <= 160
    texts = [row[found["columns"].index("prompt")] for row in found["prompts"]]
    assert any(text.startswith("<script>window.pwned=1</script>") for text in texts)


def test_the_report_of_a_thousand_prompts_is_at_most_one_and_a_half_megabytes(tmp_path: Path) -> None:
    assert write_html(runs.usual(prompts=1000), tmp_path / "report.html").stat().st_size <= 1_500_000


def test_writing_replaces_in_one_go_and_leaves_nothing_behind(audit: Audit, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    write_html(audit, path)
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_failed_write_keeps_the_old_report(audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_html(audit, path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]

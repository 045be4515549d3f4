"""The pages as a reader sees them, in headless Chromium, on a desk and on a phone."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest

from tests.batch.conftest import Batch

DESK, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install it to test the pages")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def pages(batch: Batch) -> list[Path]:
    return [batch.out / "index.html", batch.out / "compare.html", *sorted(batch.out.glob("*/report.html"))]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_is_wider_than_its_screen(batch: Batch, browser: Any, size: dict[str, int]) -> None:
    for path in pages(batch):
        page = browser.new_page(viewport=size)
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        page.close()


@pytest.mark.parametrize("name", ["index.html", "compare.html"])
def test_the_table_across_reports_fits_a_desk_without_moving_it(batch: Batch, browser: Any, name: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto((batch.out / name).as_uri())
    beyond = "[...document.querySelectorAll('.table')].map((table) => table.scrollWidth - table.clientWidth)"
    assert max(page.evaluate(beyond)) <= 0
    page.close()


def test_every_table_has_a_caption_and_every_heading_says_what_it_is_for(batch: Batch, browser: Any) -> None:
    for path in pages(batch):
        page = browser.new_page(viewport=DESK)
        page.goto(path.as_uri())
        assert page.evaluate("[...document.querySelectorAll('table')].every((table) => table.caption)"), path
        assert page.evaluate("[...document.querySelectorAll('th')].every((th) => ['col', 'row'].includes(th.scope))"), (
            path
        )
        assert page.evaluate("[...document.images].every((image) => image.alt.length > 20)"), path
        page.close()


def test_pages_ask_for_nothing_and_complain_of_nothing(batch: Batch, browser: Any) -> None:
    for path in pages(batch):
        page = browser.new_page(viewport=DESK)
        requests: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request, seen=requests: seen.append(request.url))
        page.on("console", lambda message, seen=complaints: seen.append(message.text))
        page.on("pageerror", lambda error, seen=complaints: seen.append(str(error)))
        page.goto(path.as_uri())
        assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
        assert complaints == []
        page.close()


def test_every_figure_is_drawn_and_every_link_leads_somewhere(batch: Batch, browser: Any) -> None:
    for path in pages(batch):
        page = browser.new_page(viewport=DESK)
        page.goto(path.as_uri())
        assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
        for link in page.evaluate("[...document.links].map((link) => link.href)"):
            target = urlparse(link)
            assert Path(unquote(target.path)).exists(), link
            if target.fragment:
                assert page.evaluate("(id) => document.getElementById(id) !== null", target.fragment), link
        page.close()


def test_a_name_that_is_a_script_does_not_run(batch: Batch, browser: Any) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto((batch.out / "hostile" / "report.html").as_uri())
    assert page.title().startswith("Names <script>")
    page.close()


def test_the_index_sorts_by_a_column_and_back_with_empty_cells_last(batch: Batch, browser: Any) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto((batch.out / "index.html").as_uri())
    column = page.get_by_role("button", name="Median project, months")
    shown = "[...document.querySelectorAll('td[data-label^=Median]')].map((cell) => cell.textContent.trim())"
    column.click()
    known = [float(text.split()[0]) for text in page.evaluate(shown) if text != "–"]
    assert known == sorted(known)
    assert len(known) >= 2
    column.click()
    texts = page.evaluate(shown)
    known = [float(text.split()[0]) for text in texts if text != "–"]
    assert known == sorted(known, reverse=True)
    assert all(text == "–" for text in texts[len(known) :])
    page.close()


def test_text_stands_out_from_its_ground(batch: Batch, browser: Any) -> None:
    """WCAG 2 level AA asks for a contrast of 4.5 for text."""
    contrast = """(() => {
      const light = (rgb) => {
        const [r, g, b] = rgb.map((x) => x / 255).map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
      const ground = (node) => {
        for (let at = node; at; at = at.parentElement) {
          const colour = parts(getComputedStyle(at).backgroundColor);
          if (colour.length < 4 || colour[3] > 0) return colour.slice(0, 3);
        }
        return [255, 255, 255];
      };
      let least = 21;
      for (const node of document.querySelectorAll("p, li, th, td, a, span, figcaption, summary, h1, h2, h3")) {
        const [a, b] = [light(parts(getComputedStyle(node).color).slice(0, 3)), light(ground(node))];
        least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
      }
      return least;
    })()"""
    for path in pages(batch):
        page = browser.new_page(viewport=DESK)
        page.goto(path.as_uri())
        assert page.evaluate(contrast) >= 4.5, path
        page.close()

"""Take the README's pictures of the running dashboard: every page once, light, above the fold.

pip install -e ".[test]"
python -m tests.e2e.pictures
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from attention.ui.course import PAGES
from tests.e2e.conftest import DRAWN
from tests.e2e.live import FLAGS, chromium, playwright_api, serve

FOLDER = Path(__file__).parent / "screenshots"
SETTLED = 2_000  # milliseconds: charts grow into their places


def main() -> None:
    """Write one PNG a page into `screenshots`."""
    with (
        TemporaryDirectory() as folder,
        serve(Path(folder) / "log.txt") as url,
        playwright_api().sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900}, color_scheme="light")
        for shown in PAGES:
            name = shown.name.lower()
            page.goto(f"{url}/{name}")
            page.locator("[data-test-script-state=notRunning] h1").wait_for()
            page.wait_for_function(DRAWN)
            page.wait_for_timeout(SETTLED)
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()

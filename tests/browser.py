"""Where a Chromium for the tests lies. Run as a program it prints the place, or fails when there is none."""

import shutil
import sys
from pathlib import Path

# The shell is the same browser without a window around each page, which takes half of the time of a small test.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLE = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def chromium() -> str | None:
    """An installed Chromium or Chrome, else the one that Playwright fetched, else None."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found or APPLE.is_file():
        return found or str(APPLE)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


if __name__ == "__main__":
    place = chromium()
    print(place or "no Chromium was found")
    sys.exit(place is None)

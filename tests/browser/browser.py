"""Headless Chromium with everything off that would look for a network, and what its pages say."""

import contextlib
import io
import shutil

from PIL import Image, ImageChops
from playwright.sync_api import sync_playwright

# The last three let WebGL draw on the processor, for TensorBoard's meshes.
FLAGS = """--headless --no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update
    --disable-sync --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader""".split()
NAMES = ("chromium", "chromium-browser", "google-chrome")


class Unseen(Exception):
    """A page does not show what it should."""


def check(holds, sentence):
    """Raises the sentence unless it holds."""
    if not holds:
        raise Unseen(sentence)


@contextlib.contextmanager
def chromium():
    """A browser with a new, empty profile."""
    program = next((path for name in NAMES if (path := shutil.which(name))), None)
    check(program, "no chromium is installed; Debian's package is chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def page(browser, width=1280, height=900, **settings):
    """A page, and a list of what went wrong in it: errors of scripts, and requests to elsewhere."""
    context = browser.new_context(viewport={"width": width, "height": height}, **settings)
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    opened.troubles = []
    opened.requested = []
    opened.on("pageerror", lambda error: opened.troubles.append(f"error: {error}"))
    opened.on("console", lambda said: opened.troubles.append(f"console: {said.text}") if said.type in ("error", "warning") else None)
    opened.on("request", lambda request: opened.requested.append(request.url))
    try:
        yield opened
    finally:
        context.close()


def picture(png):
    """The pixels of a screenshot."""
    return Image.open(io.BytesIO(png)).convert("RGB")


def colours(image):
    """The number of different colours."""
    return len(image.getcolors(1 << 24))


def changed(one, other):
    """The share of pixels in which two pictures differ visibly."""
    check(one.size == other.size, f"two pictures of {one.size} and {other.size} pixels")
    channels = ImageChops.difference(one, other).split()
    largest = ImageChops.lighter(ImageChops.lighter(channels[0], channels[1]), channels[2])
    differ = sum(largest.histogram()[25:])
    return differ / (one.size[0] * one.size[1])

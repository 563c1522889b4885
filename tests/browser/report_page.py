"""Looks at a report in Chromium: one file, nothing asked for, charts, and a surface that turns."""

import pathlib

from PIL import ImageStat

from browser import changed, check, colours, page, picture

# A surface in its colours has hundreds; text and lines on a ground have some dozens, by antialiasing.
COLOURS = 600


def opened(browser, report, **settings):
    """A context manager: the report, drawn."""
    return page(browser, **settings), pathlib.Path(report).resolve().as_uri()


def charts(view):
    """The charts that have a curve."""
    return view.locator("[data-chart] svg:not(.key) path.l[d^=M]").count()


def look(browser, report, pictures, runs):
    """Checks the whole page; says what it saw."""
    seen = {}
    context, address = opened(browser, report, color_scheme="light")
    with context as view:
        view.goto(address)
        # Its scripts have run by now; the frames that they asked for may not.
        view.wait_for_timeout(1000)
        elsewhere = [url for url in view.requested if url != address and not url.startswith("data:")]
        check(not elsewhere, f"the report asks for {elsewhere[:3]}")
        check(not view.troubles, f"the report complains: {view.troubles[:3]}")
        shown = view.locator("body").inner_text()
        for run in runs:
            check(run in shown, f"the report does not name the run {run}")
        seen["charts"] = charts(view)
        check(seen["charts"] >= 8, f"the report has {seen['charts']} charts with curves")
        values_under_pointer(view)
        seen["surfaces"] = turned(view, pictures)
        view.evaluate("scrollTo(0, 0)")
        view.screenshot(path=pictures / "report.png")
        seen["whole"] = len(view.screenshot(path=pictures / "report-whole.png", full_page=True))
        dark(view, pictures)
        view.evaluate("delete document.documentElement.dataset.theme")
        printed(view, pictures)
    phone(browser, report, pictures)
    without_scripts(browser, report, pictures)
    return seen


def values_under_pointer(view):
    """Moves over the first chart, and reads the values of its curves."""
    chart = view.locator("[data-chart] svg:not(.key)").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    check(view.locator("#tip").is_hidden(), "a value is shown before the pointer comes")
    view.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
    tip = view.locator("#tip")
    check(tip.is_visible(), "no value is shown under the pointer")
    check(tip.inner_text().startswith("step "), f"under the pointer stands {tip.inner_text()!r}")
    view.mouse.move(2, 2)


def turned(view, pictures):
    """Turns the surfaces by a drag: all of them turn, and none is blank before or after."""
    canvases = view.locator(".panel canvas")
    count = canvases.count()
    check(count > 0, "the report has no surface")
    canvases.first.scroll_into_view_if_needed()
    view.wait_for_timeout(500)
    before = [picture(canvases.nth(k).screenshot()) for k in range(count)]
    for number, image in enumerate(before):
        check(colours(image) > COLOURS, f"surface {number} has {colours(image)} colours: it is not drawn")
    view.wait_for_timeout(300)
    still = changed(before[0], picture(canvases.first.screenshot()))
    check(still == 0, f"{still:.1%} of the surface change without a drag")
    view.locator("figure.surface").first.screenshot(path=pictures / "report-surface.png")
    box = canvases.first.bounding_box()
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    view.mouse.move(across, down)
    view.mouse.down()
    view.mouse.move(across + 140, down - 30, steps=8)
    view.mouse.up()
    view.mouse.move(2, 2)
    view.wait_for_timeout(700)
    for number, image in enumerate(before):
        after = picture(canvases.nth(number).screenshot())
        check(colours(after) > COLOURS, f"surface {number} is gone after the drag")
        share = changed(image, after)
        check(share > 0.1, f"the drag changes {share:.1%} of surface {number}: it does not turn")
    view.locator("figure.surface").first.screenshot(path=pictures / "report-surface-turned.png")
    slider = view.locator("figure.surface input[type=range]").first
    if slider.count():
        last = picture(canvases.first.screenshot())
        slider.evaluate("input => { input.value = 0; input.dispatchEvent(new Event('input')); }")
        view.wait_for_timeout(500)
        check(changed(last, picture(canvases.first.screenshot())) > 0.02, "another step shows the same surface")
        slider.evaluate("input => { input.value = input.max; input.dispatchEvent(new Event('input')); }")
    return count


def ground(view):
    """The brightness of the page, from 0 to 255."""
    view.wait_for_timeout(300)
    return ImageStat.Stat(picture(view.screenshot()).convert("L")).mean[0]


def dark(view, pictures):
    """The button turns a light page dark; what is drawn turns with it."""
    light = ground(view)
    view.locator("#theme").click()
    after = ground(view)
    check(light > 180 and after < 70, f"the brightness is {light:.0f} before and {after:.0f} after the button of the theme")
    view.screenshot(path=pictures / "report-dark.png")
    view.screenshot(path=pictures / "report-dark-whole.png", full_page=True)


def printed(view, pictures):
    """Prints: more than one page, and the still pictures in place of what can be turned."""
    view.emulate_media(media="print")
    check(view.locator(".stage").first.is_hidden(), "the surface that one can turn is printed")
    check(view.locator(".still svg").first.is_visible(), "the still picture of the surface is not printed")
    view.emulate_media(media="screen")
    pdf = view.pdf(path=pictures / "report.pdf", format="A4", print_background=True)
    check(pdf.startswith(b"%PDF") and pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type/Page") > 1 and len(pdf) > 50_000,
          f"the print has {len(pdf)} bytes")


def phone(browser, report, pictures):
    """A phone's 390 pixels: nothing scrolls sideways."""
    context, address = opened(browser, report, width=390, height=844, device_scale_factor=2, has_touch=True, is_mobile=True)
    with context as view:
        view.goto(address)
        view.wait_for_timeout(800)
        wide = view.evaluate("document.documentElement.scrollWidth")
        check(wide <= 390, f"a phone scrolls sideways: {wide} pixels in 390")
        check(charts(view) >= 8, "a phone shows no charts")
        view.screenshot(path=pictures / "report-phone.png")


def without_scripts(browser, report, pictures):
    """Without JavaScript the charts and the still surface stand there."""
    context, address = opened(browser, report, java_script_enabled=False)
    with context as view:
        view.goto(address)
        check(view.locator(".still svg").first.is_visible(), "without scripts there is no surface")
        check(charts(view) >= 8, "without scripts there are no charts")

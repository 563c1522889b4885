"""Looks at runs in the real TensorBoard: each page shows their data."""

from browser import Unseen, check, colours, page, picture

# Milliseconds for TensorBoard's own scripts, 15 MB, and then for what a page shows: meshes are drawn on the processor.
LOADING = 120_000
PATIENCE = 60_000
# A mesh in its colours has thousands; an empty canvas has one.
COLOURS = 500


def look(browser, server, pictures, runs, only=None):
    """Opens each page; says how many cards each has."""
    pages = {
        "timeseries": time_series,
        "images": images,
        "text": text,
        "hparams": hparams,
        "custom_scalars": custom_scalars,
        "mesh": mesh,
    }
    seen = {}
    for name, look_at in pages.items():
        if only and name not in only:
            continue
        with page(browser, width=1400, height=1000) as view:
            view.set_default_timeout(PATIENCE)
            view.goto(f"http://127.0.0.1:{server.port}/#{name}", timeout=LOADING)
            seen[name] = look_at(view, runs)
            view.wait_for_timeout(500)
            view.screenshot(path=pictures / f"tensorboard-{name}.png")
    return seen


def awaited(view, condition, argument, sentence):
    """Waits until a condition in the page holds, or says that the page does not show it."""
    try:
        view.wait_for_function(condition, arg=argument)
    except Exception as error:
        raise Unseen(sentence) from error


# Finds elements inside shadow roots as well, of which some pages are made; a selector holds within one root.
DEEP = """
    const deep = (selector, root = document) => [
        ...root.querySelectorAll(selector),
        ...[...root.querySelectorAll('*')].filter(e => e.shadowRoot).flatMap(e => deep(selector, e.shadowRoot)),
    ];
"""


def time_series(view, runs):
    """Cards with the groups of our tags, and a chart drawn in the first one."""
    for group in ("curvature", "loss", "gradient", "landscape"):
        awaited(view, "group => document.body.innerText.split('\\n').some(line => line.startsWith(group))", group,
                f"Time Series has no group {group}")
    awaited(view, "document.querySelectorAll('scalar-card canvas, scalar-card svg path, scalar-card line').length > 0", None,
            "Time Series draws no curve")
    shown = view.locator("body").inner_text()
    for run in runs:
        check(run in shown, f"Time Series does not show the run {run}")
    return view.locator("card-view").count()


def images(view, runs):
    """Pictures that were loaded."""
    loaded = "deep('img').filter(image => image.src.includes('plugin/images') && image.complete && image.naturalWidth > 0).length"
    awaited(view, f"() => {{ {DEEP} return {loaded} > 0; }}", None,
            "Images shows no picture")
    return view.evaluate(f"() => {{ {DEEP} return {loaded}; }}")


def text(view, runs):
    """Texts, with the table of settings as a table."""
    awaited(view, f"() => {{ {DEEP} return deep('td').some(cell => cell.textContent.trim().length > 0); }}", None, "Text shows no table")
    return view.locator("tf-text-loader").count()


def hparams(view, runs):
    """A row for each run, with our settings."""
    awaited(view, f"() => {{ {DEEP} return deep('vaadin-grid-cell-content, td').some(cell => cell.innerText.trim() === 'batch_size'); }}", None,
            "HParams shows no settings")
    for run in runs:
        awaited(view, f"run => {{ {DEEP} return deep('vaadin-grid-cell-content, td').some(cell => cell.innerText.trim() === run); }}", run,
                f"HParams has no row of the run {run}")
    return view.locator("vaadin-grid-cell-content").count()


def custom_scalars(view, runs):
    """The charts of the layout, with curves in them."""
    awaited(view, f"() => {{ {DEEP} return deep('tf-custom-scalar-multi-line-chart-card, tf-custom-scalar-margin-chart-card').length >= 2; }}", None,
            "Custom Scalars has no charts of a layout")
    drawn = "deep('path').some(path => (path.getAttribute('d') || '').length > 100)"
    awaited(view, f"() => {{ {DEEP} return {drawn}; }}", None, "Custom Scalars draws no curve")
    return view.locator("tf-custom-scalar-multi-line-chart-card, tf-custom-scalar-margin-chart-card").count()


def mesh(view, runs):
    """A canvas that is not blank."""
    awaited(view, f"() => {{ {DEEP} return deep('canvas').length > 0; }}", None, "Mesh has no canvas")
    canvas = view.locator("tf-mesh-loader canvas").first
    for _ in range(30):
        view.wait_for_timeout(1000)
        found = colours(picture(canvas.screenshot()))
        if found > COLOURS:
            return view.locator("tf-mesh-loader").count()
    raise Unseen(f"the mesh has {found} colours: it is not drawn")

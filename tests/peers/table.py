"""What is printed and written: each cell with its target, and the tables of a run."""

# Ours over the best peer, at most; for the kinds digits MLP, MNIST MLP, CNN, and CNN with BatchNorm or transformer.
TARGETS = {
    "product": (0.5, 0.75, 0.35, 0.6),
    "product, nothing kept": (0.65, 0.55, 0.5, 0.6),
    "form over product": (0.6, 0.5, 0.6, 0.6),
    "product over its bare matrix products": (None, 1.1, None, None),
    "top 5": (0.2, 0.25, 0.2, 0.3),
    "trace": (0.02, 0.02, 0.05, 0.25),
    "density": (0.3, 0.4, 0.25, 0.4),
    "surface": (0.3, 0.2, 0.35, 0.5),
    "SAM step over base step": (2.05, 2.05, 2.05, 2.1),
}
COLUMNS = {
    "digits-mlp": "digits MLP",
    "mnist-mlp": "MNIST MLP",
    "cnn": "CNN",
    "cnn-norm": "CNN with BatchNorm",
    "transformer": "transformer",
}


def target(row, case):
    name = "transformer" if case.startswith("cnn-norm") else case.split("-")[0]
    return TARGETS[row][("digits", "mnist", "cnn", "transformer").index(name)]


def is_above(row, case, cell):
    limit = target(row, case)
    return limit is not None and cell["ratio"] > limit


def milliseconds(seconds):
    return f"{seconds * 1e3:.3g}" if seconds < 0.1 else f"{seconds * 1e3:.0f}"


def mib(bytes):
    return f"{bytes / 2**20:.0f} MiB"


def mode(found):
    return "with AVX-512" if found["avx512"] else "without AVX-512"


def show(found):
    """Prints all cells of a case."""
    case, details = found["case"], found["details"]
    print(f"\n{case}, {mode(found)}: {found['parameters']:,} parameters, {found['examples']:,} examples")
    processor = details["processor"]
    flops = processor["GFLOP/s"]
    print(f"  square product of 1,024: ours {flops['ours']:.0f}, PyTorch {flops['theirs']:.0f} GFLOP/s "
          f"(PyTorch: {processor['torch']}, {processor['torch BLAS']})")
    print("  agreement: " + ", ".join(f"{name} {error:.1e}" for name, error in found["errors"].items()))
    print(f"  {'':40}{'ours ms':>10}{'peer ms':>10}{'ratio':>8}{'target':>8}")
    for row, cell in found["cells"].items():
        limit = target(row, case)
        above = "  above" if is_above(row, case, cell) else ""
        peer = cell["peers"][cell["peer"]]
        print(f"  {row:40}{milliseconds(cell['ours']):>10}{milliseconds(peer):>10}{cell['ratio']:>8.3f}"
              f"{limit or '':>8}{above}  {cell['peer'] if cell['peer'] != 'ours' else ''}")
        for name, seconds in cell["peers"].items():
            if len(cell["peers"]) > 1:
                mark = " (composed)" if name in cell["composed"] else " (one run)" if name in cell["once"] else ""
                print(f"  {'':6}{name + mark:46}{milliseconds(seconds):>8}")
    for name, value in details.items():
        if name in ("products for the top 5", "bare parts of", "power iteration ended after seconds", "trace"):
            print(f"  {name}: {value}")
        elif name == "setup":
            print("".join(f"  {what}: {milliseconds(seconds)} ms\n" for what, seconds in value.items()), end="")
        elif name == "memory":
            show_memory(value)
        elif name == "operations":
            for kind, lines in value.items():
                print(f"  one part, {kind}, on one core")
                print("".join(f"  {line}\n" for line in lines), end="")


def show_memory(memory):
    theirs = memory["theirs"]
    needed = theirs["peak"] - theirs["before"]
    print(f"  memory above the start: PyTorch, all kept: {mib(needed)} (peak {mib(theirs['peak'])})")
    for name in ("all", "limited", "none"):
        one = memory[name]
        above = one["peak"] - one["before"]
        print(f"    ours, {name:8} {mib(above):>9} = {above / needed:.2f} of that (peak {mib(one['peak'])}); "
              f"{mib(one['kept_bytes'])} kept, {one['kept']} parts kept, {one['recomputed']} recomputed; "
              f"{one['seconds'] * 1e3:.2f} ms")


def lines(machine, all_found):
    """The run as Markdown: the machine, and a table for each of: with, without AVX-512."""
    yield "# Beside the peers\n"
    processor = machine["processor"]
    yield (f"{processor['name']}, {processor['cores']} cores, {machine['threads']} threads on each side; "
           f"{', '.join(processor['features'])}.")
    yield ", ".join(f"{name} {version}" for name, version in machine["versions"].items()) + "."
    yield (f"\nMedians of {machine['rounds']} alternated rounds, f32. A cell is our time over that of the fastest "
           "peer, then both in ms, and the target; **bold** is above the target. In brackets: over the fastest of "
           "all, also of what is put together from parts of several peers.")
    for wide in (True, False):
        group = [found for found in all_found if found["avx512"] == wide]
        if not group:
            continue
        yield f"\n## {mode(group[0])[0].upper()}{mode(group[0])[1:]}\n"
        yield "| | " + " | ".join(COLUMNS.get(found["case"], found["case"]) for found in group) + " |"
        yield "| --- |" + " --- |" * len(group)
        flops = [found["details"]["processor"]["GFLOP/s"] for found in group]
        yield "| GFLOP/s of a square product, ours and PyTorch | " + " | ".join(
            f"{one['ours']:.0f}, {one['theirs']:.0f}" for one in flops) + " |"
        for row in TARGETS:
            if any(row in found["cells"] for found in group):
                yield f"| {row} | " + " | ".join(text(row, found) for found in group) + " |"
        if all("memory" in found["details"] for found in group):
            shares = [share(found["details"]["memory"]) for found in group]
            yield "| memory, everything kept | " + " | ".join(shares) + " |"


def text(row, found):
    cell = found["cells"].get(row)
    if cell is None:
        return ""
    ratio = f"{cell['ratio']:.3f}" if cell["ratio"] < 0.1 else f"{cell['ratio']:.2f}"
    ratio = f"**{ratio}**" if is_above(row, found["case"], cell) else ratio
    strict = f" [{cell['strict']:.2f}]" if cell["strict"] > cell["ratio"] else ""
    limit = target(row, found["case"])
    times = f"{milliseconds(cell['ours'])}, {milliseconds(cell['peers'][cell['peer']])}"
    return f"{ratio}{strict} ({times}" + (f"; {limit})" if limit else ")")


def share(memory):
    above = lambda one: one["peak"] - one["before"]
    return f"{above(memory['all']) / above(memory['theirs']):.2f} ({mib(above(memory['all']))})"

"""The processor: its features, and how both sides are kept from using AVX-512."""

import os
import re
import subprocess
from pathlib import Path

# Without AVX-512: ATen's own kernels, oneDNN, MKL, and glibc's copies of memory (which both sides use).
NARROW = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD",
}


def environment(narrow, threads):
    """The environment of a process of either side. It has to be there before the process starts."""
    variables = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    variables["RAYON_NUM_THREADS"] = str(threads)
    # curvlinops uses a part of PyTorch that will go.
    variables["PYTHONWARNINGS"] = "ignore"
    variables["PYTHONDONTWRITEBYTECODE"] = "1"
    return {**variables, **NARROW} if narrow else variables


def model():
    """Name of the processor, and those of its features that matter to kernels."""
    text = Path("/proc/cpuinfo").read_text()
    name = re.search(r"^model name\s*: (.*)$", text, re.M)
    flags = re.search(r"^flags\s*: (.*)$", text, re.M)
    known = flags.group(1).split() if flags else []
    wanted = [flag for flag in known if flag in ("fma", "avx2") or flag.startswith("avx512")]
    return {"name": name.group(1) if name else "unknown", "features": wanted, "cores": os.cpu_count()}


def hide_avx512(pid, features):
    """Makes a process believe that the processor has no AVX-512; `features` asks it what it believes.

    Burn's matrix products (gemm), its entrywise kernels (macerator) and this project's (pulp) ask Rust's
    standard library, which looks at the processor once and keeps the answer as bits in one variable. As a
    debugger would, this clears bits of that variable while the process waits for its first order. Which bit
    is which is asked, not assumed: each is cleared in turn, and set again unless the features that are gone
    have names that begin with avx512.
    """
    before = features()
    if not any(has for name, has in before.items() if name.startswith("avx512")):
        return before
    address = cache_address(pid)
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:

        def read(word):
            memory.seek(address + 8 * word)
            return int.from_bytes(memory.read(8), "little")

        def write(word, value):
            memory.seek(address + 8 * word)
            memory.write(value.to_bytes(8, "little"))

        for word in range(2):
            # The highest bit of a word says that the processor has been looked at.
            for bit in range(63):
                value = read(word)
                if not value >> bit & 1:
                    continue
                known = features()
                write(word, value & ~(1 << bit))
                gone = [name for name, has in known.items() if has and not features()[name]]
                if not gone or not all(name.startswith("avx512") for name in gone):
                    write(word, value)
    after = features()
    kept = {name: has for name, has in before.items() if not name.startswith("avx512")}
    if any(after[name] != has for name, has in kept.items()):
        raise RuntimeError("other features than AVX-512 are hidden")
    if any(has for name, has in after.items() if name.startswith("avx512")):
        raise RuntimeError("AVX-512 could not be hidden")
    return after


def cache_address(pid):
    """Where the process has the variable."""
    program = os.readlink(f"/proc/{pid}/exe")
    symbols = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    found = re.search(r"^([0-9a-f]+) \w \S*std_detect\S*detect\S*cache\S*CACHE\S*$", symbols, re.M)
    if not found:
        raise RuntimeError("the program has no symbol of the detected features: was it stripped?")
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        fields = line.split()
        if fields[-1] == program and fields[2] == "00000000":
            return int(fields[0].split("-")[0], 16) + int(found.group(1), 16)
    raise RuntimeError("the program is not where it should be in memory")

"""The browser's decoder beside ONNX Runtime's, on shipped runs with the same weights.

    python benchmarks/networks.py [--onnxruntime FOLDER] [--quick]

FOLDER is node_modules/onnxruntime-web/dist after `npm install onnxruntime-web@1.30.0` in any place; without it only our
own figures are printed. One core, a page that is isolated from others so that its clock is fine. Copies into and out of
the decoder's memory count, drawing does not. Each runtime is measured in a page of its own, in turn, five times (--quick:
once); medians are printed. "start" is from nothing to the first decoded sample, the files from a server on this machine.
"""

import argparse
import base64
import contextlib
import mimetypes
import statistics
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright
from serving import ROOT, launched

from models import graphs, runs
from models.runs import networks

BUILT = ROOT / "components" / "explorer" / "built"
RUNS = (
    "digits-variational",
    "fashion-mnist-variational",
    "mnist-variational",
    "mnist-wide",
    "mnist-modern-30",
    "cats-convolutional-variational",
)
OURS = """
    const { Compiled, readWeights } = await import(`/built/network.js?${fresh}`);
    const [{ decoder }, file] = await Promise.all([fetch("/layers.json").then((r) => r.json()), bytes("/decoder.safetensors")]);
    const network = await Compiled.of({ layers: decoder, weights: readWeights(file), name: "decoder", shape: [size], simd });
    const out = new Float32Array(outputs);
    const run = async (codes, count) => network.run(codes, count, count === 1 ? out : new Float32Array(count * outputs));
"""
THEIRS = """
    const ort = await import(`/ort/ort.wasm.min.mjs?${fresh}`);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = "/ort/";
    const session = await ort.InferenceSession.create(await bytes("/decoder.onnx"), {executionProviders: ["wasm"], graphOptimizationLevel: "all"});
    const run = async (codes, count) =>
        (await session.run({code: new ort.Tensor("float32", codes, [count, size])}, ["sample"])).sample.data;
"""
MEASURE = """async ({size, outputs, codes, quick, simd}) => {
    const fresh = Math.random();
    const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
    const all = new Float32Array(Uint8Array.from(atob(codes), (one) => one.charCodeAt(0)).buffer);
    const count = all.length / size;
    const begun = performance.now();
    RUNTIME
    await run(all.slice(0, size), 1);
    const start = performance.now() - begun;
    const one = all.slice(0, size), times = [], batches = [];
    for (let i = 0; i < 300; i++) await run(one, 1);
    for (let i = 0; i < (quick ? 500 : 2000); i++) {
        one.set(all.subarray((i % count) * size, (i % count + 1) * size));
        const at = performance.now();
        await run(one, 1);
        times.push(performance.now() - at);
    }
    for (let i = 0; i < 7; i++) {
        const at = performance.now();
        await run(all, count);
        batches.push(performance.now() - at);
    }
    times.sort((a, b) => a - b);
    batches.sort((a, b) => a - b);
    const some = new Float32Array(await run(all.slice(0, 20 * size), 20));
    const text = Array.from(new Uint8Array(some.buffer), (byte) => String.fromCharCode(byte)).join("");
    return {start, p50: times[times.length >> 1], p95: times[Math.floor(times.length * 0.95)], many: batches[3], out: btoa(text)};
}"""


@contextlib.contextmanager
def served(files: dict[str, bytes], folders: dict[str, Path]) -> Iterator[str]:
    """A server of these files and folders whose pages are isolated; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.partition("?")[0].lstrip("/")
            folder, _, inner = name.partition("/")
            content = files.get(name)
            if content is None and folder in folders and (folders[folder] / inner).is_file():
                content = (folders[folder] / inner).read_bytes()
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Type", mimetypes.guess_type(name)[0] or "text/html")
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            pass

    mimetypes.add_type("text/javascript", ".mjs")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def measured(
    browser: Browser, address: str, run: runs.Run, runtime: str, codes: np.ndarray, quick: bool, simd: bool
) -> dict[str, float]:
    """Milliseconds of one runtime on one run, in a page of its own, and how far it is from onnxruntime in Python."""
    page = browser.new_page()
    try:
        page.goto(f"{address}/empty.html")
        outputs = int(np.prod(run.shape))
        given = {"size": run.code_size, "outputs": outputs, "quick": quick, "simd": simd}
        given["codes"] = base64.b64encode(codes.astype("<f4").tobytes()).decode()
        found = page.evaluate(MEASURE.replace("RUNTIME", runtime), given)
        out = np.frombuffer(base64.b64decode(found.pop("out")), "<f4").reshape(20, -1)
        return found | {"away": float(np.abs(out - run.coder.decode(codes[:20]).reshape(20, -1)).max())}
    finally:
        page.close()


def main() -> None:
    """Print a line for each run and runtime."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnxruntime", type=Path, help="the folder dist of onnxruntime-web")
    parser.add_argument("--quick", action="store_true", help="each once")
    chosen = parser.parse_args()
    runtimes = {"ours": (OURS, True), "ours, JavaScript": (OURS, False)}
    if chosen.onnxruntime:
        runtimes["ONNX Runtime"] = (THEIRS, True)
    print(f"{'run':<32}{'runtime':<20}{'one p50':>9}{'p95':>9}{'400':>9}{'start':>9}  ms   away from Python")
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for name in RUNS:
            run = runs.open_run(runs.folder_of(name))
            codes = run.codes[np.linspace(0, run.count - 1, 400).astype(int)]
            files = {
                "empty.html": b"<!doctype html>",
                "layers.json": networks.layers(run),
                "decoder.safetensors": networks.weights(run.folder, "decoder"),
                "decoder.onnx": graphs.standalone(run.folder / "decoder.onnx"),
            }
            folders = {"built": BUILT} | ({"ort": chosen.onnxruntime} if chosen.onnxruntime else {})
            seen: dict[str, list[dict[str, float]]] = {runtime: [] for runtime in runtimes}
            with served(files, folders) as address:
                for _ in range(1 if chosen.quick else 5):
                    for runtime, (text, simd) in runtimes.items():
                        seen[runtime].append(measured(browser, address, run, text, codes, chosen.quick, simd))
            for runtime, all_ in seen.items():
                p50, p95, many, start, away = (
                    statistics.median(one[key] for one in all_) for key in ("p50", "p95", "many", "start", "away")
                )
                print(
                    f"{name:<32}{runtime:<20}{p50:>9.3f}{p95:>9.3f}{many:>9.1f}{start:>9.0f}       {away:.0e}",
                    flush=True,
                )
        browser.close()


if __name__ == "__main__":
    main()

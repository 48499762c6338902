// Added to every page before its own scripts: what explorer.py reads afterwards.
(() => {
  const bench = (window.bench = { long: [], draws: [], first: null });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) bench.long.push([entry.startTime, entry.duration]);
  }).observe({ type: "longtask", buffered: true });

  // The first drawing of many points is waited for to its last pixel; later ones are only counted.
  bench.many = 1000;
  for (const kind of [WebGLRenderingContext, WebGL2RenderingContext])
    for (const name of ["drawArrays", "drawElements"]) {
      const draw = kind.prototype[name];
      kind.prototype[name] = function (mode, a, b, ...rest) {
        draw.call(this, mode, a, b, ...rest);
        const count = name === "drawArrays" ? b : a;
        if (count < bench.many) return;
        if (bench.first === null) {
          this.readPixels(0, 0, 1, 1, this.RGBA, this.UNSIGNED_BYTE, new Uint8Array(4));
          bench.first = performance.now();
        }
        bench.draws.push(performance.now());
      };
    }

  // Who draws: the explorer's map uses WebGL2 with the same choices.
  bench.renderer = () => {
    const gl = document.createElement("canvas").getContext("webgl2");
    const facts = gl?.getExtension("WEBGL_debug_renderer_info");
    return facts ? gl.getParameter(facts.UNMASKED_RENDERER_WEBGL) : "none";
  };

  const scratch = document.createElement("canvas");
  scratch.width = scratch.height = 32;
  const context = scratch.getContext("2d", { willReadFrequently: true });
  // What an image or a canvas shows now, as one number; null while nothing is shown. The same for both apps.
  const seen = (selector) => {
    const element = document.querySelector(selector);
    if (!element || (element.tagName === "IMG" && !(element.complete && element.naturalWidth))) return null;
    context.clearRect(0, 0, 32, 32);
    context.drawImage(element, 0, 0, 32, 32);
    let hash = 0;
    for (const byte of context.getImageData(0, 0, 32, 32).data) hash = (hash * 31 + byte) | 0;
    return hash;
  };

  // Milliseconds from the next key to other pixels; -1 when none came.
  bench.keyed = (selector) => {
    const before = seen(selector);
    let pressed = null;
    addEventListener("keydown", (event) => (pressed = event.timeStamp), { capture: true, once: true });
    bench.answer = new Promise((resolve) => {
      const begun = performance.now();
      const look = () => {
        const now = pressed === null ? null : seen(selector);
        if (now !== null && now !== before) resolve(performance.now() - pressed);
        else if (performance.now() - begun > 5000) resolve(-1);
        else requestAnimationFrame(look);
      };
      look();
    });
  };

  // How many different images are shown until bench.counted() is called.
  bench.count = (selector) => {
    let last = seen(selector), shown = 0, going = true;
    const look = () => {
      if (!going) return;
      const now = seen(selector);
      if (now !== null && now !== last) [last, shown] = [now, shown + 1];
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    bench.counted = () => ((going = false), shown);
  };

  // Counts how often Streamlit has come to the end of its script.
  bench.watch = () => {
    bench.reruns = 0;
    const app = document.querySelector('[data-testid="stApp"]');
    new MutationObserver(() => {
      if (app.dataset.testScriptState === "notRunning") bench.reruns += 1;
    }).observe(app, { attributeFilter: ["data-test-script-state"] });
  };

  // The longest time between two frames until bench.waited() is called.
  bench.frames = () => {
    let last = performance.now(), longest = 0, going = true;
    const look = (now) => {
      longest = Math.max(longest, now - last);
      last = now;
      if (going) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    bench.waited = () => ((going = false), longest);
  };

  // An empty handler: what an event costs before any work is done.
  bench.empty = () => {
    const pad = document.createElement("div");
    pad.id = "bench-pad";
    pad.style.cssText = "position:fixed;left:0;top:0;width:400px;height:120px;z-index:1000000";
    document.body.append(pad);
    pad.addEventListener("pointermove", (event) => {
      const start = event.timeStamp;
      requestAnimationFrame(() => performance.measure("bench:empty", { start, end: performance.now() }));
    });
  };

  // Milliseconds from the next release of the pointer to the frame after the lasso's count has changed.
  bench.lasso = () => {
    const summary = document.querySelector('[data-testid="lasso-summary"]');
    let released = null;
    addEventListener("pointerup", (event) => (released = event.timeStamp), { capture: true, once: true });
    bench.answer = new Promise((resolve) => {
      const look = () => {
        if (released !== null && / of .* samples/.test(summary.textContent)) requestAnimationFrame(() => resolve(performance.now() - released));
        else requestAnimationFrame(look);
      };
      look();
    });
  };
})();

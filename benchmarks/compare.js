// How long a pointer's move keeps the page: its handlers, and what the next frame does before it is painted. The time
// between them, in which the browser waits for that frame, does not count.
window.moves = [];
addEventListener(
  "pointermove",
  () => {
    const begun = performance.now();
    let handled = 0,
      frame = 0;
    requestAnimationFrame(() => (frame = performance.now())); // runs before the maps' own
    window.endMove = () => {
      handled = performance.now() - begun;
      requestAnimationFrame(() => window.moves.push([handled, handled + performance.now() - frame]));
    };
  },
  true,
);
addEventListener("pointermove", () => window.endMove?.());

/** The keyboard on the map. */

import { causeOf, type Cause } from "../cause";
import type { Context } from "../context";
import type { PointMap } from "../map/map";
import type { Point } from "../maths";
import type { Places } from "../places";
import type { Tool } from "../tools/tool";

/** Pixels that an arrow key moves the code, and with Shift. */
const STEP = 8,
  LARGE_STEP = 40;
/** The marker stays so many pixels inside the map. */
const MARGIN = 16;
export const ZOOM_STEP = 1.5;

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export interface KeyTarget extends Context {
  readonly map: PointMap;
  readonly places: Places;
  tool(): Tool;
  /** Holds the code where it is, or lets it follow the pointer again. */
  togglePinned(): void;
  toggleFullScreen(): void;
}

export class KeyInput {
  /** Whether the key is held with which a drag moves the map. */
  panKeyHeld = false;

  constructor(private readonly target: KeyTarget) {
    const { canvas } = target.map;
    canvas.addEventListener("keydown", (event) => {
      const cause = causeOf(event);
      if (event.key === " ") {
        this.panKeyHeld = true;
        event.preventDefault();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.handle(event.key, event.shiftKey, cause)) event.preventDefault();
    });
    canvas.addEventListener("keyup", (event) => {
      if (event.key === " ") this.panKeyHeld = false;
      if (event.key in ARROWS) target.reporter.code();
    });
    canvas.addEventListener("blur", () => (this.panKeyHeld = false));
  }

  /** True where the key means something. */
  private handle(key: string, shift: boolean, cause: Cause): boolean {
    const arrow = ARROWS[key] as Point | undefined;
    if (arrow) {
      this.moveCode(arrow, shift ? LARGE_STEP : STEP, cause);
      return true;
    }
    if (this.target.tool().key?.(key, cause)) return true;
    const action = this.actions[key.length === 1 ? key.toLowerCase() : key];
    action?.();
    return action !== undefined;
  }

  private readonly actions: Readonly<Record<string, (() => void) | undefined>> = {
    Enter: () => {
      this.target.state.set("pinned", true);
      this.target.reporter.code();
    },
    p: () => this.target.togglePinned(),
    "+": () => this.target.map.zoomCentre(ZOOM_STEP),
    "=": () => this.target.map.zoomCentre(ZOOM_STEP),
    "-": () => this.target.map.zoomCentre(1 / ZOOM_STEP),
    _: () => this.target.map.zoomCentre(1 / ZOOM_STEP),
    h: () => this.target.map.showAll(),
    0: () => this.target.map.showAll(),
    Home: () => this.target.map.showAll(),
    f: () => this.target.toggleFullScreen(),
  };

  /** On a plane without a way back an arrow goes to the nearest sample in its direction. */
  private moveCode(arrow: Point, step: number, cause: Cause): void {
    const { map, places, state } = this.target;
    const { width, height } = map.camera;
    const [x, y] = places.marker ?? [width / 2, height / 2];
    const [dx, dy] = [arrow[0] * step, arrow[1] * step];
    state.set("pinned", true);
    const next = places.plane.move ? places.codeAt(x + dx, y + dy) : places.nextSample([x, y], [dx, dy]);
    if (next) this.target.setCode(next.code, cause, next.picked);
    // The map follows when the marker would leave it.
    const over = (v: number, size: number) => (v < MARGIN ? MARGIN - v : v > size - MARGIN ? size - MARGIN - v : 0);
    const [panX, panY] = [over(x + dx, width), over(y + dy, height)];
    if (panX || panY) map.pan(panX, panY);
  }
}

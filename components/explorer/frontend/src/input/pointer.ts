/**
 * Pointers on the map: one explores or uses the tool, two move and zoom; the wheel zooms. Where a finger holds a place, the
 * browser scrolls the page by swipes up and down over the map (`touch-action`, styles/map.css), and tells so by
 * `pointercancel`; the marker can still be dragged anywhere.
 */

import { causeOf } from "../cause";
import type { Context } from "../context";
import type { PointMap } from "../map/map";
import type { Point } from "../maths";
import type { Tool } from "../tools/tool";

/** Pixels that a pressed pointer may tremble without having moved. */
const TREMBLE = 3;

export interface PointerTarget extends Context {
  readonly map: PointMap;
  tool(): Tool;
  /** A finger touched the map, or a pointer that is no finger. */
  setTouched(touched: boolean): void;
  /** A pointer that is not pressed passes over the map. */
  passed(): void;
  /** It was pressed and released without having moved. */
  tapped(): void;
  /** Whether a finger may scroll the page from here. */
  readonly scrolls: boolean;
  /** Whether a key is held with which a drag moves the map. */
  panKeyHeld(): boolean;
}

export class PointerInput {
  /** The pressed pointers and where they are. */
  private readonly pressed = new Map<number, Point>();
  private panning = false;
  /** The distance between two fingers. */
  private spread = 0;
  private start: Point | null = null;
  private moved = false;
  /** A finger whose press does nothing before it moves or is lifted: it may be about to scroll the page. */
  private waiting = false;
  /** What was shown before the press: a second finger brings it back. */
  private before: { code: Float32Array; picked: number | null; pinned: boolean } | null = null;

  constructor(private readonly target: PointerTarget) {
    const { canvas } = target.map;
    canvas.addEventListener("pointerdown", this.down);
    canvas.addEventListener("pointermove", this.move);
    canvas.addEventListener("pointerup", this.up);
    canvas.addEventListener("pointercancel", this.up);
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", this.wheel, { passive: false });
  }

  /** Has the marker, which lies on the map, take presses as the map does. */
  alsoOn(marker: HTMLElement): void {
    marker.addEventListener("pointerdown", this.down);
  }

  private placeOf(event: MouseEvent): Point {
    const { canvas } = this.target.map;
    const box = canvas.getBoundingClientRect();
    // In a page scaled by transforms the box is not as wide as the canvas lies.
    return [
      ((event.clientX - box.left) * canvas.clientWidth) / (box.width || 1),
      ((event.clientY - box.top) * canvas.clientHeight) / (box.height || 1),
    ];
  }

  private readonly down = (event: PointerEvent): void => {
    const { target, pressed } = this;
    target.setTouched(event.pointerType === "touch");
    const at = this.placeOf(event);
    pressed.set(event.pointerId, at);
    this.waiting = false;
    try {
      target.map.canvas.setPointerCapture(event.pointerId);
    } catch {
      // a pointer that is gone already cannot be captured, and need not be
    }
    if (pressed.size === 2) return this.startPinch(event);
    this.panning = event.button === 1 || event.button === 2 || event.shiftKey || target.panKeyHeld();
    [this.start, this.moved] = [at, false];
    const { code, picked, pinned } = target.state.now;
    this.before = { code: code.slice(), picked, pinned };
    this.waiting = !this.panning && event.pointerType === "touch" && target.scrolls;
    if (!this.panning && !this.waiting) target.tool().down(at, causeOf(event));
  };

  /** The press that waited was meant for the map. */
  private begin(event: PointerEvent): void {
    if (this.waiting && this.start) this.target.tool().down(this.start, causeOf(event));
    this.waiting = false;
  }

  /** What was pressed has moved the code already, and was not meant to. */
  private takeBack(event: PointerEvent): void {
    const { target } = this;
    target.tool().cancel?.();
    if (!this.before) return;
    target.state.set("pinned", this.before.pinned);
    target.setCode(this.before.code, causeOf(event), this.before.picked);
  }

  /** The first of two fingers was no press. */
  private startPinch(event: PointerEvent): void {
    this.takeBack(event);
    this.spread = spreadOf(this.pressed);
    this.panning = true;
  }

  private readonly move = (event: PointerEvent): void => {
    const { target, pressed, start } = this;
    target.setTouched(event.pointerType === "touch");
    const cause = causeOf(event);
    const at = this.placeOf(event);
    const last = pressed.get(event.pointerId);
    if (start && Math.hypot(at[0] - start[0], at[1] - start[1]) > TREMBLE) this.moved = true;
    if (!last) {
      if (event.pointerType === "touch") return;
      target.tool().hover(at, cause);
      target.passed();
      return;
    }
    pressed.set(event.pointerId, at);
    if (this.panning) return this.pan(last, at);
    this.begin(event);
    target.tool().drag(this.onMap(at), cause);
  };

  /** The nearest place on the map: a drag that leaves it leads along its edge. */
  private onMap([x, y]: Point): Point {
    const { clientWidth, clientHeight } = this.target.map.canvas;
    return [Math.max(0, Math.min(clientWidth, x)), Math.max(0, Math.min(clientHeight, y))];
  }

  private pan(last: Point, at: Point): void {
    const { map } = this.target;
    const { pressed } = this;
    map.pan((at[0] - last[0]) / pressed.size, (at[1] - last[1]) / pressed.size);
    if (pressed.size !== 2) return;
    const [a, b] = [...pressed.values()];
    const spread = spreadOf(pressed);
    if (this.spread > 0 && spread > 0) map.zoom((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, spread / this.spread);
    this.spread = spread;
  }

  private readonly up = (event: PointerEvent): void => {
    if (!this.pressed.delete(event.pointerId) || this.pressed.size) return;
    const tool = this.target.tool();
    if (!this.panning && event.type === "pointerup") {
      this.begin(event);
      tool.up(this.onMap(this.placeOf(event)), this.moved, causeOf(event));
      if (!this.moved) this.target.tapped();
    } else if (!this.panning) this.takeBack(event);
    this.panning = this.waiting = false;
    this.start = null;
  };

  private readonly wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018));
    this.target.map.zoom(...this.placeOf(event), factor);
  };
}

function spreadOf(pointers: Map<number, Point>): number {
  const [a, b] = [...pointers.values()];
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

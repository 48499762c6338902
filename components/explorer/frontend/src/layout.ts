/** Puts the parts of a scene on the page. */

import type { Colouring } from "./colouring";
import type { Context } from "./context";
import { download, mapChoices, toolButtons, viewButtons } from "./controls";
import { h, type Announcer } from "./dom";
import type { Films } from "./films/films";
import type { Hint } from "./hint";
import type { PointerInput } from "./input/pointer";
import type { Intro } from "./intro";
import type { Background } from "./layers/background";
import type { PointMap } from "./map/map";
import { Marks } from "./marks";
import type { Side } from "./panels/side";
import type { Places } from "./places";
import type { Tool } from "./tools/tool";

/** What stands on the page, and what the map asks while it draws. */
export interface LayoutParts extends Context {
  readonly announcer: Announcer;
  readonly background: Background;
  readonly colouring: Colouring;
  readonly films: Films;
  readonly hint: Hint;
  readonly intro: Intro;
  readonly map: PointMap;
  readonly places: Places;
  readonly pointer: Pick<PointerInput, "alsoOn">;
  readonly side: Side;
  readonly tools: readonly Tool[];
  /** The tool in hand. */
  tool(): Tool;
  toggleFullScreen(): void;
}

export function layOut(scene: LayoutParts, { root, body }: { root: HTMLElement; body: HTMLElement }): void {
  const { map, state, card, data, side, hint, colouring, background } = scene;
  root.dataset["run"] = card.id;
  root.dataset["kind"] = card.dataset.kind;
  const marks = new Marks(map, state, scene.places, side, colouring, hint.note, () => scene.tool().hasRings);
  scene.pointer.alsoOn(marks.marker);
  map.canvas.tabIndex = 0;
  map.canvas.setAttribute("role", "application");
  map.canvas.setAttribute(
    "aria-label",
    "Map of codes. Arrow keys move the code, with Shift faster. Enter holds it, P lets it go. Plus, minus and H zoom.",
  );
  const save = () => download(map.picture(), `map-${card.id || "run"}.png`);
  map.element.append(
    viewButtons(map, save, scene.films.button, () => scene.toggleFullScreen()),
    ...marks.elements,
    side.details.element,
  );
  const showsLayer = () => scene.tool().showsLayer;
  const choices = mapChoices(state, data, colouring.choices(), background.choices(), showsLayer);
  body.append(
    scene.intro.element,
    h(
      "header",
      { class: "hg-head" },
      toolButtons(scene.tools, state, () => side.details.close()),
      choices,
    ),
    h(
      "div",
      { class: "hg-stage" },
      map.element,
      scene.films.element,
      h("div", { class: "hg-foot" }, hint.element, hint.held),
      h("div", { class: "hg-legends" }, colouring.legend, background.legend),
    ),
    side.element,
    side.below.element,
    scene.announcer.element,
  );
  map.drawLayer = (context, camera) => background.draw(context, camera, showsLayer());
  map.pointOpacity = () => (showsLayer() ? background.pointOpacity : 1);
  map.drawOverlay = (context) => scene.tool().draw?.(context);
  map.hasOverlay = () => scene.tool().draws;
  map.placeMarks = marks.place;
  map.drawMarks = marks.draw;
}

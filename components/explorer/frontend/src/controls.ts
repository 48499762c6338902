/** The controls above the map and on it: tools, colour, layer, points, plane; zoom, picture, full screen. */

import { button, choice, h, saveAs } from "./dom";
import { ZOOM_STEP } from "./input/keys";
import type { RunData } from "./data";
import type { PointMap } from "./map/map";
import { term } from "./tips";
import type { State } from "./state";
import type { Tool } from "./tools/tool";

const COLOUR = "What the colour of a point stands for; the legend below the map explains it.";
const LAYER = "A picture behind the points; a line below the map says what it shows.";
const PLANE =
  "A code has more numbers than a map has directions. Main plane: the two directions in which codes differ most.";

type Choices = readonly (readonly [value: string, title: string])[];

/** A button for each tool. They show which one is in hand; `chosen` hears of each press, of the one in hand too. */
export function toolButtons(tools: readonly Tool[], state: State, chosen: () => void): HTMLElement {
  const buttons = tools.map((tool) =>
    h(
      "button",
      {
        type: "button",
        title: tool.help,
        data: { testid: `tool-${tool.id}` },
        on: { click: () => (chosen(), state.set("tool", tool.id)) },
      },
      tool.title,
    ),
  );
  const update = () =>
    buttons.forEach((one, i) => one.setAttribute("aria-pressed", String(tools[i].id === state.now.tool)));
  state.subscribe(["tool"], update);
  update();
  return h("div", { class: "hg-tools", role: "toolbar", aria: { label: "Tools" } }, ...buttons);
}

/** What is drawn on the map. `showsLayer` is whether the tool in hand has a layer behind it. */
export function mapChoices(
  state: State,
  data: RunData,
  colours: Choices,
  layers: Choices,
  showsLayer: () => boolean,
): HTMLElement {
  const { colour, layer, points } = state.now;
  const layerChoice = choice(term("Layer", LAYER), layers, layer, (value) => state.set("layer", value), "layer");
  const select = layerChoice.querySelector("select")!;
  const update = () => {
    select.disabled = !showsLayer();
    select.title = select.disabled ? "This tool draws no layer: layers belong to the finished network." : "";
  };
  state.subscribe(["tool"], update);
  update();
  const checkbox = h("input", {
    type: "checkbox",
    checked: points,
    data: { testid: "points" },
    on: { change: () => state.set("points", checkbox.checked) },
  });
  const colourChoice = choice(term("Colour", COLOUR), colours, colour, (key) => state.set("colour", key), "colour");
  // Another map may choose for this one.
  state.subscribe(["colour", "layer", "points"], () => {
    colourChoice.querySelector("select")!.value = state.now.colour;
    select.value = state.now.layer;
    checkbox.checked = state.now.points;
  });
  return h(
    "div",
    { class: "hg-choices" },
    colourChoice,
    layerChoice,
    h("label", { class: "hg-check" }, checkbox, "Points"),
    ...planeChoices(state, data),
  );
}

/** Which plane is shown: a known one, or any two of three or more dimensions. */
function planeChoices(state: State, data: RunData): HTMLElement[] {
  const { size } = data.card.codes;
  if (size < 3) return [];
  const isAxes = (key: string) => key.startsWith("z");
  const { plane } = state.now;
  const asked = /^z(\d+),z(\d+)$/.exec(plane);
  const axes = asked ? [Number(asked[1]), Number(asked[2])] : [1, 2];
  const showAxes = () => state.set("plane", `z${axes[0]},z${axes[1]}`);
  const dimensions = Array.from({ length: size }, (_, d) => [String(d), `z${d + 1}`] as const);
  const axis = (label: string, which: 0 | 1, testid: string) =>
    choice(
      label,
      dimensions,
      String(axes[which] - 1),
      (value) => {
        axes[which] = Number(value) + 1;
        showAxes();
      },
      testid,
    );
  const both = h("span", { class: "hg-axes" }, axis("across", 0, "axis-x"), axis("up", 1, "axis-y"));
  both.hidden = !isAxes(plane);
  const options = data.planes.map(({ key, title }) =>
    isAxes(key) ? (["axes", "Two dimensions"] as const) : ([key, title] as const),
  );
  const choose = (value: string) => {
    both.hidden = value !== "axes";
    if (value === "axes") showAxes();
    else state.set("plane", value);
  };
  const layouts = data.planes.filter(({ move }) => !move).map(({ title }) => title);
  const about = layouts.length ? `${PLANE} ${layouts.join(" and ")}: near codes stay near.` : PLANE;
  return [choice(term("Map", about), options, isAxes(plane) ? "axes" : plane, choose, "plane"), both];
}

/** The buttons on the map itself. */
export function viewButtons(
  map: PointMap,
  save: () => void,
  film: HTMLButtonElement,
  toggleFullScreen: () => void,
): HTMLElement {
  return h(
    "div",
    { class: "hg-view", role: "toolbar", aria: { label: "View" } },
    button("Zoom in (+)", "plus", () => map.zoomCentre(ZOOM_STEP), "zoom-in"),
    button("Zoom out (−)", "minus", () => map.zoomCentre(1 / ZOOM_STEP), "zoom-out"),
    button("Show all points (H)", "home", () => map.showAll(), "home"),
    button("Save a picture of the map", "picture", save, "picture"),
    film,
    button("Full screen (F)", "full", toggleFullScreen, "fullscreen"),
  );
}

/** Offers a picture to the person as a file. */
export function download(canvas: HTMLCanvasElement, name: string): void {
  canvas.toBlob((blob) => blob && saveAs(blob, name));
}

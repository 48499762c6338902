/** One run on a map: puts the parts together, and says which of them follow what. */

import type { About } from "./about";
import type { RunCard } from "./card";
import { causeNow, type Cause } from "./cause";
import { Colouring } from "./colouring";
import type { Context } from "./context";
import type { RunData } from "./data";
import type { Decoding } from "./decoding";
import { button, type Announcer } from "./dom";
import { Films } from "./films/films";
import { Hint } from "./hint";
import { Intro } from "./intro";
import type { Again } from "./learning/again";
import { KeyInput } from "./input/keys";
import { PointerInput } from "./input/pointer";
import { Background } from "./layers/background";
import { layOut } from "./layout";
import type { PointMap } from "./map/map";
import { cameraOf, placedPlane, type Placement, type Plane } from "./maths";
import type { Painter } from "./paint";
import { Side } from "./panels/side";
import { Places } from "./places";
import { State } from "./state";
import { themeOf } from "./theme";
import { toolsFor } from "./tools";
import type { Tool } from "./tools/tool";
import { codeOf, Reporter, valuesOf, type Report, type View } from "./view";

/**
 * Milliseconds after which a camera, or a code, that moved has come to rest; and after which the host is told of a choice:
 * what it draws then comes after what was chosen.
 */
const CAMERA_RESTS = 500,
  CHOICE_RESTS = 150,
  CODE_RESTS = 140;

/** What an explorer has made before the run's data arrived. */
export interface Parts {
  readonly root: HTMLElement;
  readonly body: HTMLElement;
  readonly map: PointMap;
  readonly announcer: Announcer;
  readonly painter: Painter;
  readonly data: RunData;
  readonly decoding: Decoding;
  readonly prefersReducedMotion: () => boolean;
  readonly about: About;
  readonly again: Again | null;
  /** Only the map, the picture and the sliders are shown. */
  readonly compact: boolean;
}

export class Scene implements Context {
  readonly card: RunCard;
  readonly data: RunData;
  readonly state: State;
  readonly map: PointMap;
  readonly painter: Painter;
  readonly announcer: Announcer;
  readonly decoding: Decoding;
  readonly colouring: Colouring;
  readonly places: Places;
  readonly background: Background;
  readonly side: Side;
  readonly films: Films;
  readonly hint: Hint;
  readonly intro: Intro;
  readonly reporter: Reporter;
  private readonly keys: KeyInput;
  readonly pointer: PointerInput;
  readonly tools: readonly Tool[];
  private activeTool: Tool;
  /** The input of the next change of the code; undefined where the change comes from elsewhere. */
  private cause: Cause | null | undefined;
  /** Where the planes are laid upon another map; null where they lie as they are. */
  placement: Placement | null = null;
  private theme = "";
  /** Whether what changes the code now is a hand, and whether one has. */
  private byHand = false;
  private moved = false;
  private built = false;
  private ended = false;
  private codeRest = 0;
  private viewRest = 0;

  constructor(
    private readonly parts: Parts,
    private view: View,
    run: string,
    report: Report,
  ) {
    const { data, map } = parts;
    this.card = data.card;
    [this.data, this.map, this.painter, this.announcer] = [data, map, parts.painter, parts.announcer];
    this.state = new State(this.card.codes.size, valuesOf(view, this.card, data));
    this.decoding = parts.decoding;
    this.decoding.connect(this.state.now.code, {
      decoded: (values) => {
        this.side.sample.show(values);
        if (!parts.compact) this.side.way.show(values);
        this.activeTool.decoded?.(values);
      },
      present: () => this.present(),
    });
    this.colouring = new Colouring(data, this.state, map, () => this.activeTool.showsSelection);
    this.places = new Places(data, this.state, map, this.colouring.isVisible);
    this.background = new Background(this, this.card);
    this.reporter = new Reporter(run, this.state, this.card, data, report);
    this.dropUnknown();
    const pin = button("Hold this place (P)", "pin", () => this.togglePinned(), "unpin");
    this.side = new Side(this, this.decoding, this.colouring, pin, parts.about, parts.compact);
    this.tools = toolsFor(this);
    this.films = new Films(this);
    this.intro = new Intro(parts.about.intro ?? null, this.next());
    this.activeTool = this.tools.find((tool) => tool.id === view.tool) ?? this.tools[0];
    this.state.set("tool", this.activeTool.id);
    this.hint = new Hint(this, this.tool, () => this.release());
    this.keys = new KeyInput(this);
    this.pointer = new PointerInput(this);
    this.follow();
    layOut(this, parts);
    this.start();
  }

  // ── building ──────────────────────────────────────────────────────────────

  /** What a view asks for and this run has not becomes what is usual. */
  private dropUnknown(): void {
    const { state } = this;
    const colours = this.colouring.choices();
    if (!colours.some(([key]) => key === state.now.colour)) state.set("colour", this.colouring.usual);
    if (!this.background.choices().some(([id]) => id === state.now.layer)) state.set("layer", "none");
  }

  /** Which parts follow which values. */
  private follow(): void {
    const { state, map, colouring, background } = this;
    state.subscribe(["code"], () => this.codeChanged());
    state.subscribe(["pinned"], () => this.present());
    state.subscribe(["plane"], () => this.showPlane(this.data.planeOf(state.now.plane)));
    state.subscribe(["led"], () => this.present());
    state.subscribe(["tool"], () => this.use(this.tools.find((tool) => tool.id === state.now.tool) ?? this.tools[0]));
    state.subscribe(["colour", "points"], () => colouring.recolour());
    state.subscribe(["layer"], () => background.set(state.now.layer));
    state.subscribe(["hidden"], () => {
      colouring.hiddenChanged();
      background.refresh();
      this.present();
    });
    state.subscribe(["selection"], () => colouring.highlight());
    state.subscribe(["camera"], () => {
      if (state.now.camera && state.now.camera !== map.camera) map.move(state.now.camera);
    });
    state.subscribe(["plane", "tool", "colour", "points", "layer", "hidden"], () => this.reportView(CHOICE_RESTS));
    map.onCamera = (camera) => {
      state.set("camera", camera);
      background.cameraMoved();
      this.reportView(CAMERA_RESTS);
    };
  }

  /** Shows what the state says for the first time. */
  private start(): void {
    this.use(this.activeTool);
    this.updateTheme();
    this.showPlane(this.places.plane);
    this.background.set(this.state.now.layer);
    this.map.resize();
    const camera = cameraOf(this.view.camera ?? "", this.map.fullCamera());
    if (camera) this.map.move(camera);
    this.built = true;
    const { size, mean } = this.card.codes;
    const asked = codeOf(this.view, size);
    const nearest = this.data.finder?.nearest(mean, 1)[0];
    if (asked && !this.view.free) this.state.set("pinned", true);
    this.setCode(asked ?? (nearest ? this.data.codeOf(nearest.index) : mean), null);
  }

  /** What somebody can do who has done the first steps. */
  private next(): string {
    const has = (id: string) => this.tools.find((tool) => tool.id === id)?.title;
    const tools = [has("draw"), has("path"), has("replay")].filter(Boolean).slice(0, 2);
    const train = this.parts.about.intro?.train ? ", or train your own network on the page Train" : "";
    return `Next: drag a slider, try ${tools.join(" or ")}${train}.`;
  }

  // ── what parts see of it ──────────────────────────────────────────────────

  readonly tool = (): Tool => this.activeTool;

  get about(): About {
    return this.parts.about;
  }
  get again(): Again | null {
    return this.parts.again;
  }
  get nearest() {
    return this.side.nearest;
  }
  get reducedMotion(): boolean {
    return this.parts.prefersReducedMotion();
  }

  /** `cause` is null at the start, before anything was touched. */
  setCode(code: ArrayLike<number>, cause: Cause | null, picked: number | null = null): void {
    this.cause = cause;
    this.state.setCode(code, picked);
  }

  goTo(index: number): void {
    this.side.remember(index);
    this.state.set("pinned", true);
    this.setCode(this.data.codeOf(index), causeNow(), index);
    this.reporter.code();
  }

  /** After so many milliseconds; silent until everything is built. */
  private reportView(wait: number): void {
    if (!this.built) return;
    clearTimeout(this.viewRest);
    this.viewRest = window.setTimeout(() => this.reporter.view(this.map.camera, this.map.fullCamera()), wait);
  }

  setTouched(touched: boolean): void {
    if (!this.hint.setTouched(touched)) return;
    this.intro.setTouched(touched);
    this.present();
  }
  tapped(): void {
    if (this.state.now.pinned && this.activeTool.id === "explore") this.intro.holding();
  }
  get scrolls(): boolean {
    return this.hint.scrolls;
  }
  passed(): void {
    if (this.hint.passed()) this.map.redraw("overlay");
  }
  panKeyHeld(): boolean {
    return this.keys.panKeyHeld;
  }
  private release(): void {
    this.state.set("pinned", false);
    this.map.canvas.focus({ preventScroll: true }); // the button that had the focus is gone
  }
  togglePinned(): void {
    if (this.state.now.pinned) this.release();
    else {
      this.state.set("pinned", true);
      this.intro.holding();
    }
  }
  toggleFullScreen(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    // Browsers of phones may lack it.
    else void this.parts.root.requestFullscreen?.().catch(() => undefined);
  }

  // ── changes ───────────────────────────────────────────────────────────────

  private use(tool: Tool): void {
    if (tool !== this.activeTool) this.activeTool.close?.();
    this.activeTool = tool;
    this.map.redraw("background");
    this.parts.root.dataset["tool"] = tool.id;
    if (this.built) this.hint.update();
    this.present();
    this.side.toolPanel.replaceChildren(...(tool.panel ? [tool.panel] : []));
    tool.open?.();
    this.colouring.highlight();
    this.map.redraw("overlay");
  }

  /** Lays the map upon another one, or as it is. */
  place(placement: Placement | null): void {
    if (!placement && !this.placement) return;
    this.placement = placement;
    this.showPlane(this.data.planeOf(this.state.now.plane));
  }

  /** whole: show all of it. rests: what takes longer to draw may begin. */
  showPlane(stored: Plane, whole = true, rests = true): void {
    const plane = this.placement ? placedPlane(stored, this.placement) : stored;
    this.places.setPlane(plane);
    this.map.axes = plane.axes;
    this.colouring.showPoints(plane.xy, plane.index);
    this.map.setExtent(plane.xy, whole);
    this.activeTool.planeChanged?.();
    if (rests) this.background.refresh();
    this.hint.update();
    this.present();
  }

  private codeChanged(): void {
    const { cause } = this;
    this.cause = undefined;
    if (cause !== null) this.side.way.light(this.activeTool.encodes || this.state.now.picked !== null ? "all" : "code");
    this.moved ||= this.byHand;
    this.map.redraw("overlay");
    this.decoding.request(cause === undefined ? causeNow() : cause);
  }

  /** Everything beside the picture that follows the code. */
  private present(): void {
    if (!this.built || this.ended) return;
    const { root } = this.parts;
    root.dataset["code"] = Array.from(this.state.now.code, (v) => String(Math.round(v * 1e5) / 1e5)).join(",");
    this.side.present();
    this.hint.present();
    this.intro.setHeld(this.hint.holds);
    if (this.moved) this.intro.moved();
    root.classList.toggle("hg-scrolls", this.scrolls);
    root.classList.toggle("hg-is-far", this.side.far);
    root.classList.toggle("hg-is-away", this.state.now.led?.away === true);
    this.map.redraw("overlay");
    this.announcer.say(this.spoken);
    clearTimeout(this.codeRest);
    this.codeRest = window.setTimeout(this.settle, CODE_RESTS);
  }

  private readonly nearestLabels = (): number[] => this.nearest.map((one) => this.data.labelOf(one.index));

  private readonly spoken = (): string => this.side.spoken();

  /** After the hand has come to rest: what would be too much for every move. */
  private readonly settle = (): void => {
    if (this.ended) return;
    if (this.moved) this.intro.rested(this.nearestLabels);
    this.side.settle();
    this.background.codeRested();
  };

  /** The decoder is here. */
  decoderArrived(): void {
    this.decoding.request(causeNow());
    this.byHand = true;
    this.background.refresh();
  }

  amountsArrived(): void {
    this.colouring.amountsArrived();
  }

  originalsArrived(): void {
    this.side.originalsArrived();
    this.activeTool.originalsArrived?.();
    this.settle();
  }

  /** Follows the colours of the page. A million points are not to be drawn anew where these have not changed. */
  private updateTheme(): void {
    const theme = themeOf(this.parts.root);
    this.parts.root.classList.toggle("hg-dark", theme.dark);
    const key = JSON.stringify([theme.paper, this.view.palette]);
    if (key === this.theme) return;
    this.theme = key;
    this.map.ink = theme.map;
    this.colouring.setColours(theme.grey, theme.ground, this.view.palette);
    this.side.setInk(theme.ink, theme.histogram);
    this.colouring.recolour();
    this.map.redraw("background", "points", "overlay");
    this.present();
  }

  /** Called at every rerun of the host's page. */
  update(view: View): void {
    const changed = JSON.stringify(this.view) !== JSON.stringify(view);
    this.view = view;
    this.updateTheme();
    // A code that Python sends anew moves the marker; the one it echoes back does not.
    const { code } = this.state.now;
    const asked = changed ? codeOf(view, code.length) : null;
    if (!asked?.some((v, d) => Math.abs(v - code[d]) > 1e-6)) return;
    this.byHand = false;
    this.state.set("pinned", true);
    this.setCode(asked, causeNow());
    this.byHand = true;
  }

  end(): void {
    this.ended = true;
    this.activeTool.close?.();
    for (const tool of this.tools) tool.leave?.();
    clearTimeout(this.codeRest);
    clearTimeout(this.viewRest);
    this.hint.end();
    this.background.end();
    this.films.end();
    this.side.end();
  }
}

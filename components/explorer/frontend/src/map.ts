/**
 * The map: points by WebGL 2 (by a 2-D canvas where there is none), what lies behind them, and what lies above.
 *
 * What lies behind (axes, layers) is painted apart and handed to the points' own canvas, which is opaque: a browser
 * puts the page together anew at every pointer move, and each large transparent canvas costs it as much as the rest.
 * The marker is an element that moves. A second canvas, above, is there only while a tool draws.
 */

import {
  decimalsFor,
  extentOf,
  fit,
  panBy,
  resized,
  say,
  ticks,
  toPixel,
  viewOf,
  zoomAt,
  type Camera,
  type Extent,
} from "./maths";

export interface Ink {
  readonly text: string;
  readonly line: string;
  readonly paper: string;
}

/**
 * A 2-D context whose pixels stay in ordinary memory. These canvases are small or change at every move: handing each
 * change to the graphics card and back costs more than drawing it, most of all where the card is software.
 */
export const flatContext = (canvas: HTMLCanvasElement): CanvasRenderingContext2D =>
  canvas.getContext("2d", { willReadFrequently: true })!;

/** Which row of the colour table a point takes: that of a class, one for what is hidden, one for what has no class. */
export const HIDDEN = 254,
  UNKNOWN = 255;

/** While the map moves about so many points are drawn; all of them once it has rested for a moment. */
const MOVING = 100_000,
  REST_MS = 180;

const VERTEX = `#version 300 es
in vec2 here; in vec2 from; in float row; in float chosen;
uniform vec2 centre, scale; uniform float size, glide; uniform bool choosing; uniform sampler2D table;
out vec4 tint;
void main() {
  vec2 at = mix(from, here, glide);
  tint = texelFetch(table, ivec2(int(row + 0.5), 0), 0);
  bool off = tint.a == 0.0 || !(at.x == at.x && at.y == at.y);
  if (choosing && chosen < 0.5) tint.a *= 0.12;
  gl_Position = off ? vec4(2.0, 2.0, 2.0, 1.0) : vec4((at - centre) * scale, 0.0, 1.0);
  gl_PointSize = size;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 tint; uniform float size; out vec4 colour;
void main() {
  float cover = size < 2.5 ? 1.0 : clamp((0.5 - length(gl_PointCoord - 0.5)) * size + 0.5, 0.0, 1.0);
  colour = vec4(tint.rgb, 1.0) * tint.a * cover;
}`;

/** One triangle that covers everything, with the ground on it. */
const BEHIND_VERTEX = `#version 300 es
out vec2 at;
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  at = vec2(corner.x + 1.0, 1.0 - corner.y) * 0.5;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const BEHIND_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at; uniform sampler2D ground; out vec4 colour;
void main() { colour = vec4(texture(ground, at).rgb, 1.0); }`;

interface Gl {
  readonly gl: WebGL2RenderingContext;
  readonly program: WebGLProgram;
  readonly behind: WebGLProgram;
  readonly ground: WebGLTexture;
  readonly buffers: Record<"here" | "from" | "row" | "chosen", WebGLBuffer>;
  readonly table: WebGLTexture;
  readonly uniform: (name: string) => WebGLUniformLocation | null;
}

export class PointMap {
  readonly element = document.createElement("div");
  readonly canvas = document.createElement("canvas");
  private readonly ground = document.createElement("canvas");
  private readonly sheet = document.createElement("canvas");
  private gl: Gl | null = null;
  private flat: CanvasRenderingContext2D | null = null;
  private lost = false;

  private xy = new Float32Array(0);
  private from: Float32Array | null = null;
  private rows = new Uint8Array(0);
  private chosen: Uint8Array | null = null;
  private table = new Uint8Array(4 * 256);
  /** Every which point is drawn; 0 before the first drawing. A stride is at most 255 bytes, hence at most 31. */
  private step = 0;
  private moving = 0;
  private glideStart = 0;
  private glideTime = 0;
  private readonly redo = new Set<"points" | "ground" | "sheet">();
  private frame = 0;
  private ended = false;

  camera: Camera = fit([-1, 1, -1, 1], 300, 300);
  private home: Extent = [-1, 1, -1, 1];
  ink: Ink = { text: "#555", line: "#8884", paper: "#fff" };
  axes: readonly [string, string] = ["z1", "z2"];
  /** Drawn behind the points, in pixels of the page. */
  drawLayer: ((context: CanvasRenderingContext2D, camera: Camera) => void) | null = null;
  /** Drawn above the points at each pointer move. */
  drawSheet: ((context: CanvasRenderingContext2D, camera: Camera) => void) | null = null;
  /** Whether a tool has anything to draw above the points. */
  sheetUsed: () => boolean = () => true;
  /** Moves the marker, and draws it where a picture is saved. */
  placeMarks: (() => void) | null = null;
  drawMarks: ((context: CanvasRenderingContext2D) => void) | null = null;
  onCamera: (() => void) | null = null;
  onFrame: ((milliseconds: number) => void) | null = null;

  constructor(
    private readonly still: () => boolean,
    avoidWebgl = false,
  ) {
    this.element.className = "hg-map";
    this.canvas.className = "hg-points";
    this.sheet.className = "hg-sheet";
    this.ground.className = "hg-ground";
    this.ground.hidden = true; // it is shown through the points' canvas
    this.element.append(this.ground, this.canvas, this.sheet);
    this.canvas.dataset["testid"] = "latent-map";
    this.sheet.setAttribute("aria-hidden", "true");
    this.sheet.hidden = true;
    if (!avoidWebgl) this.startGl();
    if (!this.gl) this.flat = this.canvas.getContext("2d", { alpha: false });
    // Without preventDefault a lost context never comes back.
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.lost = true;
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.lost = false;
      this.startGl();
      this.upload();
      this.ask("points", "ground");
    });
  }

  get accelerated(): boolean {
    return this.gl !== null;
  }

  private startGl(): void {
    const gl = this.canvas.getContext("webgl2", {
      antialias: false,
      alpha: false,
      depth: false,
      powerPreference: "high-performance",
    });
    this.gl = null;
    if (!gl) return;
    const program = linked(gl, VERTEX, FRAGMENT),
      behind = linked(gl, BEHIND_VERTEX, BEHIND_FRAGMENT);
    if (!program || !behind) return;
    const buffers = {
      here: gl.createBuffer(),
      from: gl.createBuffer(),
      row: gl.createBuffer(),
      chosen: gl.createBuffer(),
    };
    const names = new Map<string, WebGLUniformLocation | null>();
    const uniform = (name: string) => {
      if (!names.has(name)) names.set(name, gl.getUniformLocation(program, name));
      return names.get(name)!;
    };
    gl.useProgram(program);
    const textures = [0, 1].map((unit) => {
      const texture = gl.createTexture();
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
        gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
      for (const way of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, way, gl.CLAMP_TO_EDGE);
      return texture;
    });
    gl.useProgram(behind);
    gl.uniform1i(gl.getUniformLocation(behind, "ground"), 1);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.gl = { gl, program, behind, buffers, table: textures[0], ground: textures[1], uniform };
    this.step = 0;
  }

  /** Draws every `step`-th point from now on: the buffers stay, they are only read with larger strides. */
  private takeEvery(step: number): void {
    if (step === this.step || !this.gl) return;
    this.step = step;
    const { gl, program, buffers } = this.gl;
    for (const [name, width, bytes, kind] of [
      ["here", 2, 8, gl.FLOAT],
      ["from", 2, 8, gl.FLOAT],
      ["row", 1, 1, gl.UNSIGNED_BYTE],
      ["chosen", 1, 1, gl.UNSIGNED_BYTE],
    ] as const) {
      const at = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, width, kind, false, step * bytes, 0);
    }
  }

  private upload(...what: ("here" | "from" | "row" | "chosen" | "table")[]): void {
    if (!this.gl || this.lost) return;
    const { gl, buffers, table } = this.gl;
    const all = what.length === 0;
    const fill = (name: "here" | "from" | "row" | "chosen", data: AllowSharedBufferSource) => {
      if (!all && !what.includes(name)) return;
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    };
    const n = this.count;
    fill("here", this.xy);
    fill("from", this.from ?? this.xy);
    fill("row", this.rows.length === n ? this.rows : new Uint8Array(n).fill(UNKNOWN));
    fill("chosen", this.chosen?.length === n ? this.chosen : new Uint8Array(n));
    if (all || what.includes("table")) {
      gl.activeTexture(gl.TEXTURE0);
      gl.bindTexture(gl.TEXTURE_2D, table);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, this.table);
    }
  }

  get count(): number {
    return this.xy.length / 2;
  }

  /** New places of the points. As many points as before glide there, unless motion is unwelcome. */
  setPoints(xy: Float32Array, rows: Uint8Array, glide = 0): void {
    const gliding = glide > 0 && xy.length === this.xy.length && !this.still() && this.gl !== null;
    this.from = gliding ? this.current() : null;
    this.xy = xy as Float32Array<ArrayBuffer>;
    this.rows = rows as Uint8Array<ArrayBuffer>;
    this.chosen = null;
    this.glideTime = gliding ? glide : 0;
    this.glideStart = performance.now();
    this.upload();
    this.ask("points");
  }

  /** Where the points are at this moment, in the middle of a glide too, so that a new one starts from there. */
  private current(): Float32Array {
    const t = this.glide();
    if (!this.from || t >= 1) return this.xy;
    const { from, xy } = this;
    return xy.map((v, i) => from[i] + (v - from[i]) * t);
  }

  private glide(): number {
    if (!this.glideTime) return 1;
    const t = Math.min(1, (performance.now() - this.glideStart) / this.glideTime);
    return t * t * (3 - 2 * t);
  }

  setRows(rows: Uint8Array): void {
    this.rows = rows as Uint8Array<ArrayBuffer>;
    this.upload("row");
    this.ask("points");
  }

  /** 256 colours (r, g, b, a) of which each point takes one; alpha 0 hides its points. */
  setTable(table: Uint8Array): void {
    this.table = table as Uint8Array<ArrayBuffer>;
    this.upload("table");
    this.ask("points");
  }

  /** Which points stand out; null when none is chosen. */
  setChosen(chosen: Uint8Array | null): void {
    this.chosen = chosen;
    this.upload("chosen");
    this.ask("points");
  }

  setHome(xy: Float32Array): void {
    this.home = extentOf(xy);
    this.goHome();
  }

  goHome(): void {
    this.move(this.whole());
  }

  /** The camera that shows all points. */
  whole(): Camera {
    return fit(this.home, this.camera.width, this.camera.height);
  }

  move(camera: Camera): void {
    // Past these the numbers of the graphics card no longer tell two points apart, or everything is one pixel.
    const span = Math.max(this.home[1] - this.home[0], this.home[3] - this.home[2]) || 1;
    const across = camera.width / camera.sx;
    if (across > span * 50 || across < span / 20000) return;
    this.camera = camera;
    if (this.count > MOVING) {
      clearTimeout(this.moving);
      this.moving = window.setTimeout(() => ((this.moving = 0), this.ask("points")), REST_MS);
    }
    this.ask("points", "ground", "sheet");
    this.onCamera?.();
  }

  zoom(px: number, py: number, factor: number): void {
    this.move(zoomAt(this.camera, px, py, factor));
  }

  pan(dx: number, dy: number): void {
    this.move(panBy(this.camera, dx, dy));
  }

  resize(width: number, height: number): void {
    if (width < 2 || height < 2) return;
    const dpr = Math.min(2, window.devicePixelRatio || 1);
    for (const canvas of [this.ground, this.canvas, this.sheet]) {
      canvas.width = Math.round(width * dpr);
      canvas.height = Math.round(height * dpr);
    }
    const first = this.camera.width === 300 && this.camera.height === 300;
    this.camera = first ? fit(this.home, width, height) : resized(this.camera, width, height);
    this.ask("points", "ground", "sheet");
    this.onCamera?.();
  }

  ask(...what: ("points" | "ground" | "sheet")[]): void {
    for (const part of what) this.redo.add(part);
    if (!this.frame && !this.ended) this.frame = requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.frame = 0;
    const begun = performance.now();
    const redo = new Set(this.redo);
    this.redo.clear();
    if (redo.has("ground")) this.drawGround();
    if (redo.has("points") || redo.has("ground")) this.drawPoints();
    if (redo.has("sheet")) this.drawAbove();
    if (redo.has("points")) this.onFrame?.(performance.now() - begun);
    if (this.glide() < 1) this.ask("points");
  }

  /** Small and dense where there are many, larger as one zooms in. */
  pointSize(): number {
    const whole = this.whole();
    const zoom = Math.sqrt((this.camera.sx * this.camera.sy) / (whole.sx * whole.sy));
    const base = 11 - 1.85 * Math.log10(Math.max(1, this.count));
    return Math.max(1.2, Math.min(14, base * Math.max(1, zoom) ** 0.4));
  }

  private drawPoints(): void {
    const size = this.pointSize() * (this.canvas.width / Math.max(1, this.camera.width));
    if (this.gl && !this.lost) {
      const { gl, uniform } = this.gl;
      const c = this.camera;
      gl.viewport(0, 0, this.canvas.width, this.canvas.height);
      gl.useProgram(this.gl.behind);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      gl.useProgram(this.gl.program);
      gl.uniform2f(uniform("centre"), c.cx, c.cy);
      gl.uniform2f(uniform("scale"), (2 * c.sx) / c.width, (2 * c.sy) / c.height);
      gl.uniform1f(uniform("size"), size);
      gl.uniform1f(uniform("glide"), this.glide());
      gl.uniform1i(uniform("choosing"), this.chosen ? 1 : 0);
      const step = this.moving ? Math.max(1, Math.min(31, Math.ceil(this.count / MOVING))) : 1;
      this.takeEvery(step);
      gl.drawArrays(gl.POINTS, 0, Math.floor(this.count / step));
    } else if (this.flat) this.drawFlat(this.flat, size);
  }

  /** Squares of one colour after the other: changing the colour at each point costs more than drawing it. */
  private drawFlat(context: CanvasRenderingContext2D, size: number): void {
    const { camera, xy, rows, table, chosen } = this;
    const k = this.canvas.width / camera.width;
    context.drawImage(this.ground, 0, 0);
    const byRow = new Map<number, number[]>();
    for (let i = 0; i < this.count; i++) {
      const row = (rows[i] ?? UNKNOWN) + (chosen && !chosen[i] ? 256 : 0);
      const list = byRow.get(row);
      if (list) list.push(i);
      else byRow.set(row, [i]);
    }
    for (const [row, list] of byRow) {
      const at = 4 * (row % 256);
      if (!table[at + 3]) continue;
      context.fillStyle = `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]} / ${(table[at + 3] / 255) * (row > 255 ? 0.12 : 1)})`;
      for (const i of list) {
        const [x, y] = toPixel(camera, xy[2 * i], xy[2 * i + 1]);
        if (x >= 0 && y >= 0 && x <= camera.width && y <= camera.height)
          context.fillRect(x * k - size / 2, y * k - size / 2, size, size);
      }
    }
  }

  /** Hands what lies behind to the points' canvas. */
  private uploadGround(): void {
    if (!this.gl || this.lost) return;
    const { gl, ground } = this.gl;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, ground);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, this.ground);
  }

  private drawOn(canvas: HTMLCanvasElement, paint: typeof this.drawSheet): void {
    const context = flatContext(canvas);
    const k = canvas.width / Math.max(1, this.camera.width);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(k, 0, 0, k, 0, 0);
    paint?.(context, this.camera);
  }

  private drawGround(): void {
    this.drawOn(this.ground, (context, camera) => {
      context.fillStyle = this.ink.paper;
      context.fillRect(0, 0, camera.width, camera.height);
      this.drawLayer?.(context, camera);
      const [x0, x1, y0, y1] = viewOf(camera);
      const { width, height } = camera;
      context.font = "11px system-ui, sans-serif";
      context.lineWidth = 1;
      const xs = ticks(x0, x1, width / 110),
        ys = ticks(y0, y1, height / 90);
      const label = (text: string, x: number, y: number) => {
        // A halo of paper keeps the numbers readable on whatever layer is below.
        context.lineWidth = 3;
        context.strokeStyle = this.ink.paper;
        context.strokeText(text, x, y);
        context.fillStyle = this.ink.text;
        context.fillText(text, x, y);
      };
      context.strokeStyle = this.ink.line;
      context.beginPath();
      for (const x of xs) {
        const px = Math.round(toPixel(camera, x, 0)[0]) + 0.5;
        context.moveTo(px, 0);
        context.lineTo(px, height);
      }
      for (const y of ys) {
        const py = Math.round(toPixel(camera, 0, y)[1]) + 0.5;
        context.moveTo(0, py);
        context.lineTo(width, py);
      }
      context.stroke();
      context.textAlign = "center";
      context.textBaseline = "alphabetic";
      const dx = decimalsFor(xs[1] - xs[0]),
        dy = decimalsFor(ys[1] - ys[0]);
      for (const x of xs) {
        const px = toPixel(camera, x, 0)[0];
        if (px > 44 && px < width - 64) label(say(x, dx), px, height - 7);
      }
      context.textAlign = "left";
      context.textBaseline = "middle";
      for (const y of ys) {
        const py = toPixel(camera, 0, y)[1];
        if (py > 28 && py < height - 24) label(say(y, dy), 7, py);
      }
      context.textBaseline = "alphabetic";
      context.font = "600 12px system-ui, sans-serif";
      label(this.axes[1], 7, 16);
      context.textAlign = "right";
      label(this.axes[0], width - 8, height - 7);
    });
    this.uploadGround();
  }

  /** The marker is moved by the page alone; the sheet is a large picture and is touched only where a tool draws. */
  private drawAbove(): void {
    this.placeMarks?.();
    const wanted = this.drawSheet !== null && this.sheetUsed();
    this.sheet.hidden = !wanted;
    if (wanted) this.drawOn(this.sheet, this.drawSheet);
  }

  /** Everything seen, as one picture. The points are drawn anew because WebGL forgets them after each frame. */
  picture(): HTMLCanvasElement {
    const out = document.createElement("canvas");
    out.width = this.canvas.width;
    out.height = this.canvas.height;
    const context = out.getContext("2d")!;
    this.moving = 0;
    this.drawGround();
    this.drawPoints();
    context.drawImage(this.canvas, 0, 0);
    const k = out.width / Math.max(1, this.camera.width);
    context.setTransform(k, 0, 0, k, 0, 0);
    this.drawSheet?.(context, this.camera);
    this.drawMarks?.(context);
    return out;
  }

  end(): void {
    this.ended = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.moving);
    // Browsers keep only a few contexts: a page that opens many explorers must hand them back.
    this.gl?.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.gl = null;
    this.element.remove();
  }
}

function linked(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [kind, text] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

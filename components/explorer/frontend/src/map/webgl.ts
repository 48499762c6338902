/**
 * The map's points by WebGL 2, over a background that is handed to the graphics card as a texture. The points are drawn on
 * a sheet of their own, which is kept: while only what lies behind them changes, they need not be drawn anew. Those that
 * stand out are drawn once more, on a second sheet above the dimmed first one: a selection draws no other points.
 */

import type { Camera } from "../maths";

/** Which row of the colour table a point takes: that of a class, one for what is hidden, one for what has no class. */
export const HIDDEN = 254,
  UNKNOWN = 255;
/** Where colours stand for amounts, the rows of values far below the scale and far above it: those get a ring. */
export const BELOW = 252,
  ABOVE = 253;
/** How many times as large as others a point with a ring is. */
export const RING = 1.7;
/** How opaque the background is where no points are drawn above it. */
export const LEFT_OUT = 0.6;
/** How opaque points are beside those that stand out. */
export const DIMMED = 0.2;

const VERTEX = `#version 300 es
in vec2 here; in vec2 from; in float row;
uniform vec2 centre, scale; uniform float size, glide; uniform bool rings; uniform sampler2D table;
out vec4 tint; out float across, ring;
void main() {
  vec2 at = mix(from, here, glide);
  tint = texelFetch(table, ivec2(int(row + 0.5), 0), 0);
  bool off = tint.a == 0.0 || !(at.x == at.x && at.y == at.y);
  gl_Position = off ? vec4(2.0, 2.0, 2.0, 1.0) : vec4((at - centre) * scale, 0.0, 1.0);
  ring = rings && (row == ${BELOW}.0 || row == ${ABOVE}.0) ? 1.0 : 0.0;
  across = ring > 0.5 ? max(8.0, size * ${RING}) : size;
  gl_PointSize = across;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 tint; in float across, ring; uniform vec3 ink; out vec4 colour;
void main() {
  float inside = (0.5 - length(gl_PointCoord - 0.5)) * across + 0.5;
  float cover = across < 2.5 ? 1.0 : clamp(inside, 0.0, 1.0);
  float edge = ring * (1.0 - clamp(inside - max(1.5, across * 0.14), 0.0, 1.0));
  colour = vec4(mix(tint.rgb, ink, edge), 1.0) * tint.a * cover;
}`;

/** One triangle that covers everything: the sheets of the points above the background. */
const SHOWN_VERTEX = `#version 300 es
out vec2 at;
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  at = vec2(corner.x + 1.0, 1.0 - corner.y) * 0.5;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const SHOWN_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at; uniform sampler2D background, every, lit; uniform float opacity; uniform bool lighting; out vec4 colour;
void main() {
  vec2 place = vec2(at.x, 1.0 - at.y);
  vec4 points = texture(every, place) * opacity;
  if (lighting) {
    vec4 above = texture(lit, place) * opacity;
    points = points * ${DIMMED} * (1.0 - above.a) + above;
  }
  vec4 ground = texture(background, at);
  points *= clamp((ground.a - ${LEFT_OUT}) / ${1 - LEFT_OUT}, 0.0, 1.0);
  colour = vec4(ground.rgb / max(ground.a, 0.01) * (1.0 - points.a) + points.rgb, 1.0);
}`;

/** What is known of each point. All but `xy` may be missing. */
export interface Points {
  /** x, y, x, y, … in coordinates of the plane. */
  readonly xy: Float32Array;
  /** Where the points glide from. */
  readonly from: Float32Array | null;
  /** The row of the colour table for each point. */
  readonly rows: Uint8Array | null;
  /** 1 for the points that stand out, 0 for the others. */
  readonly highlighted: Uint8Array | null;
}

/** The colour of the rings around what lies far beyond a scale; null where colours are no amounts. */
export type Rings = readonly [number, number, number] | null;

export interface Frame {
  readonly camera: Camera;
  /** The diameter of a point in pixels of the canvas. */
  readonly size: number;
  /** How far the points have glided, from 0 to 1. */
  readonly glide: number;
  /** Every `step`-th point is drawn. A stride is at most 255 bytes, hence at most 31. */
  readonly step: number;
  /** How opaque all points together are, from 0 to 1. */
  readonly opacity: number;
}

/** What has to be drawn anew: all points, those that stand out, or none. */
export type Anew = "all" | "lit" | "none";

/** Which numbers of each point are read: how many, of which type, and how many bytes they are. */
const ATTRIBUTES = {
  here: [2, "FLOAT", 8],
  from: [2, "FLOAT", 8],
  row: [1, "UNSIGNED_BYTE", 1],
} as const;
type Attribute = keyof typeof ATTRIBUTES;

/** Points that are drawn together, and the sheet that they are drawn on. */
interface Batch {
  readonly array: WebGLVertexArrayObject;
  readonly buffers: Readonly<Record<Attribute, WebGLBuffer>>;
  readonly unit: number;
  readonly sheet: WebGLTexture;
  readonly framebuffer: WebGLFramebuffer;
  count: number;
  /** The step that the buffers are read with now; 0 before the first drawing. */
  step: number;
  /** The width and height of the sheet; 0 before the first drawing. */
  size: readonly [number, number];
}

export class WebglPoints {
  private held: Points = { xy: new Float32Array(0), from: null, rows: null, highlighted: null };
  private rings: Rings = null;

  private constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly points: WebGLProgram,
    private readonly shown: WebGLProgram,
    private readonly table: WebGLTexture,
    private readonly background: WebGLTexture,
    private readonly every: Batch,
    private readonly lit: Batch,
    private readonly uniforms: Readonly<
      Record<
        "centre" | "scale" | "size" | "glide" | "rings" | "ink" | "opacity" | "lighting",
        WebGLUniformLocation | null
      >
    >,
  ) {}

  /** Null where the browser has no WebGL 2. */
  static create(canvas: HTMLCanvasElement): WebglPoints | null {
    const gl = canvas.getContext("webgl2", {
      antialias: false,
      alpha: false,
      depth: false,
      powerPreference: "high-performance",
    });
    if (!gl) return null;
    const points = linked(gl, VERTEX, FRAGMENT),
      shown = linked(gl, SHOWN_VERTEX, SHOWN_FRAGMENT);
    if (!points || !shown) return null;
    const uniform = (name: string) => gl.getUniformLocation(points, name);
    const [table, background] = [0, 1].map((unit) => texture(gl, unit));
    gl.useProgram(shown);
    ["background", "every", "lit"].forEach((name, i) => gl.uniform1i(gl.getUniformLocation(shown, name), i + 1));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    return new WebglPoints(gl, points, shown, table, background, batch(gl, 2), batch(gl, 3), {
      centre: uniform("centre"),
      scale: uniform("scale"),
      size: uniform("size"),
      glide: uniform("glide"),
      rings: uniform("rings"),
      ink: uniform("ink"),
      opacity: gl.getUniformLocation(shown, "opacity"),
      lighting: gl.getUniformLocation(shown, "lighting"),
    });
  }

  setPoints(points: Points): void {
    this.held = points;
    this.fill(this.every, "here", points.xy);
    this.fill(this.every, "from", points.from ?? points.xy);
    this.setRows(points.rows);
  }

  setRows(rows: Uint8Array | null): void {
    const count = (this.every.count = this.held.xy.length / 2);
    this.held = { ...this.held, rows: rows?.length === count ? rows : new Uint8Array(count).fill(UNKNOWN) };
    this.fill(this.every, "row", this.held.rows!);
    this.setHighlighted(this.held.highlighted);
  }

  setHighlighted(highlighted: Uint8Array | null): void {
    this.held = { ...this.held, highlighted };
    const { xy, from, rows } = this.held;
    const some = placesOf(highlighted);
    this.lit.count = some.length;
    const pairs = (values: Float32Array) =>
      Float32Array.from({ length: 2 * some.length }, (_, i) => values[2 * some[i >> 1] + (i & 1)]);
    this.fill(this.lit, "here", pairs(xy));
    this.fill(this.lit, "from", pairs(from ?? xy));
    this.fill(
      this.lit,
      "row",
      Uint8Array.from(some, (i) => rows![i]),
    );
  }

  private fill({ buffers }: Batch, name: Attribute, data: Float32Array | Uint8Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, data as AllowSharedBufferSource, gl.STATIC_DRAW);
  }

  /** 256 colours (r, g, b, a); `rings` is the colour of the rings where points may have some. */
  setTable(table: Uint8Array, rings: Rings): void {
    const { gl } = this;
    this.rings = rings;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.table);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, table);
  }

  setBackground(canvas: HTMLCanvasElement): void {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.background);
    // As canvases lie in memory, so that nothing is computed.
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, canvas);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  }

  /** Shows everything. Where points are not drawn `anew`, their sheet is shown as it is. */
  draw(frame: Frame, anew: Anew): void {
    const { gl } = this,
      { width, height } = gl.canvas;
    gl.viewport(0, 0, width, height);
    const lighting = this.held.highlighted !== null;
    const fits = ({ size }: Batch) => size[0] === width && size[1] === height;
    if (anew === "all" || !fits(this.every)) this.drawSheet(this.every, frame);
    if (lighting && (anew !== "none" || !fits(this.lit))) this.drawSheet(this.lit, frame);
    gl.useProgram(this.shown);
    gl.uniform1f(this.uniforms.opacity, frame.opacity);
    gl.uniform1i(this.uniforms.lighting, lighting ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private drawSheet(batch: Batch, { camera, size, glide, step }: Frame): void {
    const { gl, uniforms } = this,
      { width, height } = gl.canvas;
    gl.bindFramebuffer(gl.FRAMEBUFFER, batch.framebuffer);
    if (batch.size[0] !== width || batch.size[1] !== height) {
      gl.activeTexture(gl.TEXTURE0 + batch.unit);
      gl.bindTexture(gl.TEXTURE_2D, batch.sheet);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, batch.sheet, 0);
      batch.size = [width, height];
    }
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.points);
    gl.uniform2f(uniforms.centre, camera.cx, camera.cy);
    gl.uniform2f(uniforms.scale, (2 * camera.sx) / camera.width, (2 * camera.sy) / camera.height);
    gl.uniform1f(uniforms.size, size);
    gl.uniform1f(uniforms.glide, glide);
    gl.uniform1i(uniforms.rings, this.rings ? 1 : 0);
    if (this.rings) gl.uniform3f(uniforms.ink, this.rings[0] / 255, this.rings[1] / 255, this.rings[2] / 255);
    this.readEvery(batch, step);
    gl.drawArrays(gl.POINTS, 0, Math.floor(batch.count / step));
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }

  /** Draws every `step`-th point from now on: the buffers stay, they are only read with larger strides. */
  private readEvery(batch: Batch, step: number): void {
    const { gl } = this;
    gl.bindVertexArray(batch.array);
    if (step === batch.step) return;
    batch.step = step;
    for (const name of Object.keys(ATTRIBUTES) as Attribute[]) {
      const [width, type, bytes] = ATTRIBUTES[name];
      const at = gl.getAttribLocation(this.points, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, batch.buffers[name]);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, width, gl[type], false, step * bytes, 0);
    }
  }

  /** Browsers keep only a few contexts: a page that opens many explorers must hand them back. */
  release(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

function batch(gl: WebGL2RenderingContext, unit: number): Batch {
  return {
    array: gl.createVertexArray(),
    buffers: { here: gl.createBuffer(), from: gl.createBuffer(), row: gl.createBuffer() },
    unit,
    sheet: texture(gl, unit),
    framebuffer: gl.createFramebuffer(),
    count: 0,
    step: 0,
    size: [0, 0],
  };
}

/** The places of the points that stand out. */
function placesOf(highlighted: Uint8Array | null): Int32Array {
  const out = new Int32Array(highlighted?.length ?? 0);
  let count = 0;
  highlighted?.forEach((on, i) => {
    if (on) out[count++] = i;
  });
  return out.subarray(0, count);
}

function texture(gl: WebGL2RenderingContext, unit: number): WebGLTexture {
  const made = gl.createTexture();
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
    gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
  for (const wrap of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, wrap, gl.CLAMP_TO_EDGE);
  return made;
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

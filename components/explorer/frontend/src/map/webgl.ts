/**
 * The map's points by WebGL 2, over a background that is handed to the graphics card as a texture. The points are drawn on
 * a sheet of their own, which is kept: while only what lies behind them changes, they need not be drawn anew.
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

const VERTEX = `#version 300 es
in vec2 here; in vec2 from; in float row; in float highlighted;
uniform vec2 centre, scale; uniform float size, glide; uniform bool highlighting, rings; uniform sampler2D table;
out vec4 tint; out float across, ring;
void main() {
  vec2 at = mix(from, here, glide);
  tint = texelFetch(table, ivec2(int(row + 0.5), 0), 0);
  bool off = tint.a == 0.0 || !(at.x == at.x && at.y == at.y);
  if (highlighting && highlighted < 0.5) tint.a *= 0.12;
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

/** One triangle that covers everything: the sheet of the points above the background. */
const SHOWN_VERTEX = `#version 300 es
out vec2 at;
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  at = vec2(corner.x + 1.0, 1.0 - corner.y) * 0.5;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const SHOWN_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at; uniform sampler2D background, sheet; uniform float opacity; out vec4 colour;
void main() {
  vec4 points = texture(sheet, vec2(at.x, 1.0 - at.y)) * opacity;
  colour = vec4(texture(background, at).rgb * (1.0 - points.a) + points.rgb, 1.0);
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

type Attribute = "here" | "from" | "row" | "highlighted";

export class WebglPoints {
  /** The step that the buffers are read with now; 0 before the first drawing. */
  private step = 0;
  private count = 0;
  private highlighting = false;
  private rings: Rings = null;
  /** The width and height of the sheet; 0 before the first drawing. */
  private sheetSize: readonly [number, number] = [0, 0];

  private constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly points: WebGLProgram,
    private readonly shown: WebGLProgram,
    private readonly buffers: Readonly<Record<Attribute, WebGLBuffer>>,
    private readonly table: WebGLTexture,
    private readonly background: WebGLTexture,
    private readonly sheet: WebGLTexture,
    private readonly framebuffer: WebGLFramebuffer,
    private readonly uniforms: Readonly<
      Record<
        "centre" | "scale" | "size" | "glide" | "highlighting" | "rings" | "ink" | "opacity",
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
    const buffers = {
      here: gl.createBuffer(),
      from: gl.createBuffer(),
      row: gl.createBuffer(),
      highlighted: gl.createBuffer(),
    };
    const uniform = (name: string) => gl.getUniformLocation(points, name);
    const [table, background, sheet] = [0, 1, 2].map((unit) => texture(gl, unit));
    gl.useProgram(shown);
    gl.uniform1i(gl.getUniformLocation(shown, "background"), 1);
    gl.uniform1i(gl.getUniformLocation(shown, "sheet"), 2);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    return new WebglPoints(gl, points, shown, buffers, table, background, sheet, gl.createFramebuffer(), {
      centre: uniform("centre"),
      scale: uniform("scale"),
      size: uniform("size"),
      glide: uniform("glide"),
      highlighting: uniform("highlighting"),
      rings: uniform("rings"),
      ink: uniform("ink"),
      opacity: gl.getUniformLocation(shown, "opacity"),
    });
  }

  setPoints({ xy, from, rows, highlighted }: Points): void {
    this.count = xy.length / 2;
    this.fill("here", xy);
    this.fill("from", from ?? xy);
    this.setRows(rows);
    this.setHighlighted(highlighted);
  }

  setRows(rows: Uint8Array | null): void {
    this.fill("row", rows?.length === this.count ? rows : new Uint8Array(this.count).fill(UNKNOWN));
  }

  setHighlighted(highlighted: Uint8Array | null): void {
    this.highlighting = highlighted !== null;
    this.fill("highlighted", highlighted?.length === this.count ? highlighted : new Uint8Array(this.count));
  }

  private fill(name: Attribute, data: Float32Array | Uint8Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
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
    // As canvases lie in memory, so that nothing is computed: it is opaque, and its colours are the same.
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, canvas);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  }

  /** Shows everything. Where the points are not drawn `anew`, their sheet is shown as it is. */
  draw(frame: Frame, anew: boolean): void {
    const { gl } = this,
      { width, height } = gl.canvas;
    gl.viewport(0, 0, width, height);
    if (anew || this.sheetSize[0] !== width || this.sheetSize[1] !== height) this.drawSheet(frame);
    gl.useProgram(this.shown);
    gl.uniform1f(this.uniforms.opacity, frame.opacity);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private drawSheet({ camera, size, glide, step }: Frame): void {
    const { gl, uniforms } = this,
      { width, height } = gl.canvas;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    if (this.sheetSize[0] !== width || this.sheetSize[1] !== height) {
      gl.activeTexture(gl.TEXTURE2);
      gl.bindTexture(gl.TEXTURE_2D, this.sheet);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.sheet, 0);
      this.sheetSize = [width, height];
    }
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.points);
    gl.uniform2f(uniforms.centre, camera.cx, camera.cy);
    gl.uniform2f(uniforms.scale, (2 * camera.sx) / camera.width, (2 * camera.sy) / camera.height);
    gl.uniform1f(uniforms.size, size);
    gl.uniform1f(uniforms.glide, glide);
    gl.uniform1i(uniforms.highlighting, this.highlighting ? 1 : 0);
    gl.uniform1i(uniforms.rings, this.rings ? 1 : 0);
    if (this.rings) gl.uniform3f(uniforms.ink, this.rings[0] / 255, this.rings[1] / 255, this.rings[2] / 255);
    this.readEvery(step);
    gl.drawArrays(gl.POINTS, 0, Math.floor(this.count / step));
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  }

  /** Draws every `step`-th point from now on: the buffers stay, they are only read with larger strides. */
  private readEvery(step: number): void {
    if (step === this.step) return;
    this.step = step;
    const { gl } = this;
    for (const [name, width, bytes, type] of [
      ["here", 2, 8, gl.FLOAT],
      ["from", 2, 8, gl.FLOAT],
      ["row", 1, 1, gl.UNSIGNED_BYTE],
      ["highlighted", 1, 1, gl.UNSIGNED_BYTE],
    ] as const) {
      const at = gl.getAttribLocation(this.points, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, width, type, false, step * bytes, 0);
    }
  }

  /** Browsers keep only a few contexts: a page that opens many explorers must hand them back. */
  release(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
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

/** What is known of a run: its codes, labels and originals, each read once. Touches no page. */

import type { RunCard } from "./card";
import { Columns } from "./columns";
import { Fault } from "./fault";
import {
  axisPlane,
  enlarged,
  finder,
  linearPlane,
  product,
  project,
  Remembering,
  type Finder,
  type Plane,
} from "./maths";
import { Products } from "./products";
import { brokenCodes, type RunFolder } from "./run";

/** So many codes of more than two numbers are compared by the networks' kernels. */
const MANY = 5000;

/** Pictures without a way back, by the names of their files. The second is there where umap-learn was installed. */
const LAYOUTS = [
  ["tsne", "t-SNE"],
  ["umap", "UMAP"],
] as const;

/** Where the originals are: still on their way, here, or not at hand. */
export type Originals = "loading" | "here" | "missing";

export interface Replay {
  readonly codes: Float32Array;
  readonly index: Int32Array;
}

export class RunData {
  codes = new Float32Array(0);
  labels: Int32Array | null = null;
  errors: Float32Array | null = null;
  /** count x factors, in rows. */
  factors: Float32Array | null = null;
  /** The originals of images, as bytes. */
  private thumbnails: Uint8Array | null = null;
  private read: Float32Array | null = null;
  private loading = true;
  private lender: {
    readonly from: RunData;
    readonly positions: ArrayLike<number>;
    readonly drawings: readonly Float32Array[];
  } | null = null;
  /** Other values that points can be coloured by: what was computed here. By their names in a state. */
  readonly computed = new Map<string, { readonly title: string; readonly values: Float32Array }>();
  finder: Finder | null = null;
  /** What else points can be coloured by, and what samples are called. */
  readonly columns: Columns;
  /** The planes that every visitor is offered; planes of two chosen dimensions come from `planeOf`. */
  readonly planes: Plane[] = [];

  /** `notice` hears of what could not be read; everything else goes on without it. */
  constructor(
    readonly folder: RunFolder,
    readonly card: RunCard,
    private readonly notice: (error: unknown) => void,
  ) {
    this.columns = new Columns(folder, card, notice);
  }

  /** What `file` gives; null where it fails. */
  private orNull<T>(file: Promise<T>): Promise<T | null> {
    return file.catch((error: unknown) => (this.notice(error), null));
  }

  /** Codes, labels, and planes: what a map needs. Without codes the sliders still decode. */
  async load(): Promise<void> {
    const { count, size } = this.card.codes;
    const codes = this.orNull(this.folder.floats("codes.f32", count * size));
    const labels = this.orNull(this.folder.integers("labels.i32", count));
    const columns = this.columns.load();
    this.codes = (await codes) ?? new Float32Array(0);
    this.labels = await labels;
    const broken = brokenCodes(this.codes, size);
    if (broken)
      this.notice(
        new Fault(
          `${broken.toLocaleString("en")} of ${count.toLocaleString("en")} codes are not finite numbers`,
          "the others are shown; train this run again to mend it",
        ),
      );
    await this.loadPlanes();
    await columns;
    this.finder = new Remembering(finder(this.codes, size));
    if (size > 2 && count >= MANY)
      Products.of(this.codes, size).then(
        (products) => (this.finder = new Remembering(products)),
        () => undefined, // the scan finds them as well, if later
      );
  }

  /** Other codes of the same samples, of a network that learns: their plane, where it is no pair of numbers, and errors. */
  renew(codes: Float32Array<ArrayBuffer>, plane: Plane | null, errors: Float32Array | null): void {
    const { size } = this.card.codes;
    this.codes = codes;
    this.errors = errors ?? this.errors;
    this.planes.length = 0;
    this.planes.push(...(plane ? [plane] : []), axisPlane(codes, size, 0, size > 1 ? 1 : 0));
  }

  /** The nearest codes are looked for among the new ones from now on: sorting them is too much for each frame. */
  renewFinder(): void {
    this.finder = new Remembering(finder(this.codes, this.card.codes.size));
  }

  private async loadPlanes(): Promise<void> {
    const { size } = this.card.codes;
    const { pca, tsne } = this.card.projections;
    if (size > 2 && pca) {
      const share = pca.explained.length === 2 ? pca.explained.map((v) => `${Math.round(100 * v)} %`) : ["", ""];
      this.planes.push(
        linearPlane(
          "pca",
          "Main plane (PCA)",
          [`PCA 1 ${share[0]}`.trim(), `PCA 2 ${share[1]}`.trim()],
          project(this.codes, size, pca.mean, pca.components),
          pca.mean,
          pca.components,
        ),
      );
    }
    this.planes.push(axisPlane(this.codes, size, 0, size > 1 ? 1 : 0));
    if (size < 3 || !tsne) return;
    const index = await this.orNull(this.indices("projections/tsne-index.i32", tsne.count));
    for (const [key, title] of LAYOUTS)
      if (index && (key === "tsne" || this.card.files[`projections/${key}.f32`])) {
        const xy = await this.orNull(this.folder.floats(`projections/${key}.f32`, 2 * tsne.count));
        if (xy) this.planes.push({ key, title, axes: ["", ""], xy, index, place: () => null, move: null });
      }
  }

  /** The codes of some samples after each stored epoch, one epoch after the other, and which samples these are. */
  replay(): Promise<Replay> {
    const { replay, codes } = this.card;
    if (!replay) return Promise.reject(new Fault("this run keeps no codes of its training", "train it again"));
    this.replayed ??= Promise.all([
      this.folder.floats("replay/codes.f32", replay.epochs.length * replay.count * codes.size),
      this.indices("replay/index.i32", replay.count),
    ]).then(
      ([codes, index]) => ({ codes, index }),
      (error: unknown) => {
        this.replayed = null;
        throw error;
      },
    );
    return this.replayed;
  }
  private replayed: Promise<Replay> | null = null;

  /** A file that names codes by their position. */
  async indices(name: string, count: number): Promise<Int32Array> {
    const index = await this.folder.integers(name, count);
    if (index.some((i) => i < 0 || i >= this.card.codes.count))
      throw new Fault(
        `the file ${name} names codes that do not exist: there are ${this.card.codes.count.toLocaleString("en")}`,
        "train this run again",
      );
    return index;
  }

  /** The plane of that key; the first where there is none. Any two dimensions of three or more are a plane. */
  planeOf(key: string): Plane {
    const { size } = this.card.codes;
    const known = this.planes.find((plane) => plane.key === key);
    const axes = /^z(\d+),z(\d+)$/.exec(key);
    if (known || !axes || size < 3) return known ?? this.planes[0];
    const [i, j] = [axes[1], axes[2]].map((d) => Math.max(0, Math.min(size - 1, Number(d) - 1)));
    return axisPlane(this.codes, size, i, j);
  }

  /** Values that points can be coloured by. */
  async loadAmounts(): Promise<void> {
    const { codes, dataset } = this.card;
    const width = dataset.factors.length;
    if (this.card.errors !== false) this.errors = await this.orNull(this.folder.floats("errors.f32", codes.count));
    if (width) this.factors = await this.orNull(this.folder.floats("factors.f32", codes.count * width));
  }

  /** The original samples. A run need not have them: their absence is no fault. */
  async loadOriginals(): Promise<void> {
    const { card } = this;
    const image = card.dataset.kind === "image";
    const size = card.thumbnails && product(card.thumbnails.shape) * (card.thumbnails.count ?? card.codes.count);
    if (image && size !== null)
      this.thumbnails = await this.orNull(this.folder.optionalBytes("thumbnails.u8.gz", size));
    if (!image) this.read = await this.orNull(this.readSamples());
    await this.columns.loadNames();
    this.loading = false;
  }

  private async readSamples(): Promise<Float32Array | null> {
    const bytes = await this.folder.optionalBytes("samples.f32.gz");
    if (!bytes) return null;
    const each = 4 * product(this.card.dataset.shape);
    if (bytes.byteLength % each || bytes.byteLength > each * this.card.codes.count)
      throw new Fault(
        `the file samples.f32.gz of this run has ${bytes.byteLength.toLocaleString("en")} bytes, which is not ${each.toLocaleString("en")} for each of at most ${this.card.codes.count.toLocaleString("en")} samples`,
        "reload the page",
      );
    return new Float32Array(bytes.buffer);
  }

  /** The originals of signals and rows as a model sees them, its own or those that it borrowed: of all codes, or of the
   * first so many. */
  get samples(): Float32Array | null {
    return (this.lender?.from ?? this).read;
  }

  get originals(): Originals {
    if (this.lender) return this.lender.from.originals;
    return (this.thumbnails ?? this.read) ? "here" : this.loading ? "loading" : "missing";
  }

  codeOf(index: number): Float32Array<ArrayBuffer> {
    const { size } = this.card.codes;
    return this.codes.slice(index * size, (index + 1) * size);
  }

  /** The label of a sample, -1 where it has none. */
  labelOf(index: number): number {
    const label = this.labels?.[index] ?? -1;
    return label >= 0 && label < this.card.dataset.classes.length ? label : -1;
  }

  /** The class of a sample; "" where the dataset has none. */
  className(index: number): string {
    const { classes } = this.card.dataset;
    return classes.length ? (classes[this.labels?.[index] ?? -1] ?? "no label") : "";
  }

  /** Words about a sample, what it is called where that is known, and its class where there are classes. */
  describe(words: string, index: number): string {
    return [words, this.columns.nameOf(index), this.className(index)].filter(Boolean).join(", ");
  }

  /** A sample in a word: its class, or where there are no classes what it is called. */
  shortName(index: number): string {
    return this.className(index) || this.columns.nameOf(index);
  }

  /** Whether originals of images travel smaller than they are, because there are many of them. */
  get reduced(): boolean {
    const { thumbnails, dataset } = (this.lender?.from ?? this).card;
    return thumbnails?.shape.some((n, i) => n !== dataset.shape[i]) ?? false;
  }

  /** Which row of the dataset each code is; null where code i stands for row i: pages are made so. */
  async rows(): Promise<Int32Array | null> {
    const bytes = await this.folder.optionalBytes("rows.i32", 4 * this.card.codes.count);
    return bytes && new Int32Array(bytes.buffer);
  }

  /**
   * Takes the originals that another run of the same dataset has read. `positions` says where its code of each of ours is; where
   * that is -1 - k, the original is drawing k, or unknown.
   */
  async borrow(from: RunData, positions: ArrayLike<number>, drawings: readonly Float32Array[] = []): Promise<void> {
    this.lender = { from, positions, drawings };
    await this.columns.loadNames();
    this.loading = false;
  }

  /** What somebody drew in place of a sample; null of others. */
  private drawing(index: number): Float32Array | null {
    const { positions, drawings } = this.lender ?? { positions: [], drawings: [] };
    return drawings[-1 - positions[index]] ?? null;
  }

  private lent<T>(index: number, read: (from: RunData, at: number) => T | null): T | null {
    const { from, positions } = this.lender!;
    return positions[index] < 0 ? null : read(from, positions[index]);
  }

  /** The values of an original at the size of a sample, as a model sees them; null when it is not at hand. */
  original(index: number): Float32Array | null {
    if (this.lender) return this.drawing(index) ?? this.lent(index, (from, at) => from.original(at));
    const { read: samples, thumbnails } = this;
    const each = product(this.card.dataset.shape);
    if (samples)
      return (index + 1) * each <= samples.length ? samples.subarray(index * each, (index + 1) * each) : null;
    if (!thumbnails) return null;
    const { shape } = this.card.thumbnails!;
    const size = product(shape);
    if ((index + 1) * size > thumbnails.length) return null;
    const values = Float32Array.from(thumbnails.subarray(index * size, (index + 1) * size), (v) => v / 255);
    return this.reduced ? enlarged(values, shape, this.card.dataset.shape) : values;
  }

  /** The bytes of an original image that has the size of a sample; null where it is smaller, or not at hand. */
  bytesOf(index: number): Uint8Array | null {
    if (this.lender) return this.lent(index, (from, at) => from.bytesOf(at));
    const size = product(this.card.dataset.shape);
    const there = this.thumbnails && !this.reduced && (index + 1) * size <= this.thumbnails.length;
    return there ? this.thumbnails!.subarray(index * size, (index + 1) * size) : null;
  }
}

/** A decoder and a canvas: what a preview and a generator have in common. */

import { BlockSource, type Facts } from "../blocks";
import type { RunCard } from "../card";
import { Density, DENSITY } from "../density";
import { Network } from "../network/network";
import { Painter, type Sampled } from "../paint";
import { RunFolder } from "../run";

export class Live {
  private out: Float32Array | undefined;

  private constructor(
    readonly card: RunCard,
    readonly facts: Facts,
    private readonly network: Network,
    private readonly painter: Painter,
    /** How the codes are spread; null on a page that does not say. */
    readonly density: Density | null,
  ) {}

  /** The run whose blocks are here under this name. */
  static async of(run: string): Promise<Live> {
    const source = new BlockSource(document, run),
      folder = new RunFolder(source),
      card = await folder.card();
    const painter = new Painter(card.dataset);
    painter.ink = getComputedStyle(document.body).color;
    const spread = await folder.optionalBytes(DENSITY);
    const density = spread && Density.read(spread);
    return new Live(card, await source.facts(), await Network.load(folder, card, "decoder"), painter, density);
  }

  /** Decodes a code onto a canvas. */
  show(code: Float32Array, canvas: Sampled): void {
    this.out = this.network.run(code, this.out);
    canvas.sample = this.out;
    this.painter.paint(canvas, this.out);
  }

  /** The code at a place of the map, both from 0 to 1: of the two numbers, else on the main plane. */
  codeAt(x: number, y: number): Float32Array<ArrayBuffer> {
    const { codes, projections } = this.card,
      { size, low, high } = codes,
      { plane } = this.facts;
    if (size < 3 || !projections.pca || !plane)
      return Float32Array.from({ length: size }, (_, d) => low[d] + (high[d] - low[d]) * (d === 0 ? x : 1 - y));
    const { mean, components } = projections.pca;
    const [u, v] = [x, 1 - y].map((share, k) => plane.low[k] + (plane.high[k] - plane.low[k]) * share);
    return Float32Array.from({ length: size }, (_, d) => mean[d] + u * components[0][d] + v * components[1][d]);
  }
}

/**
 * The columns of a dataset that points can be coloured by, and what its samples are called. They are not in the run: the
 * server makes them from the dataset, for those alone who may read it. Touches no page.
 */

import type { RunCard } from "./card";
import { objectOf } from "./card";
import type { RunFolder } from "./run";

/** A column. `kind` is "number", "time" (seconds since 1970) or "category", whose values are places among its words. */
export interface Column {
  readonly name: string;
  readonly kind: string;
  readonly words: readonly string[];
  /** Of so many codes, the first, its values are on a page without a server; undefined where they are known of all. */
  readonly known?: number;
}

export class Columns {
  list: readonly Column[] = [];
  private names: readonly string[] | null = null;
  /** Whether whoever looks may read the dataset. */
  private mine = false;
  /** The values of the columns that were asked for: null where they are on their way, or cannot be had. */
  private readonly known = new Map<number, Float64Array | null>();

  constructor(
    private readonly folder: RunFolder,
    private readonly card: RunCard,
    private readonly notice: (error: unknown) => void,
  ) {}

  /** Whether somebody brought the dataset: others have neither names nor columns beside their samples. */
  private get brought(): boolean {
    return this.card.dataset.name.startsWith("own-");
  }

  /** Which columns there are; none for those who may not see them. */
  async load(): Promise<void> {
    if (this.card.dataset.kind === "image" && !this.brought) return;
    const told = await this.optional("colours.json");
    this.mine = Array.isArray(told);
    if (Array.isArray(told)) this.list = told.map(columnOf);
  }

  /** What the samples are called: their ids, names of files, or rows. */
  async loadNames(): Promise<void> {
    const told = this.brought && this.mine ? await this.optional("names.json") : null;
    if (Array.isArray(told) && told.length === this.card.codes.count) this.names = told.map(String);
  }

  private async optional(name: string): Promise<unknown> {
    try {
      return await this.folder.optionalJson(name);
    } catch (error) {
      this.notice(error);
      return null;
    }
  }

  /** What a sample is called; "" where that is not known. */
  nameOf(index: number): string {
    return this.names?.[index] ?? "";
  }

  /** The colours that these are, as the address names them. */
  choices(): (readonly [key: string, title: string])[] {
    return this.list.map(({ name }, k) => [`column:${k}`, name] as const);
  }

  /** The column that a colour stands for; undefined where it stands for something else. */
  of(colour: string): Column | undefined {
    return this.list[placeOf(colour)];
  }

  /** Its values for each code; null until they are here, which `arrived` is told. */
  values(colour: string, arrived: () => void): Float64Array | null {
    const place = placeOf(colour);
    const known = this.known.get(place);
    if (known !== undefined || !this.list[place]) return known ?? null;
    this.known.set(place, null);
    this.folder.bytes(`colours/${place}.f64.gz`, 8 * this.card.codes.count).then((bytes) => {
      this.known.set(place, new Float64Array(bytes.buffer));
      arrived();
    }, this.notice);
    return null;
  }
}

const placeOf = (colour: string): number => Number(/^column:(\d+)$/.exec(colour)?.[1] ?? -1);

function columnOf(stored: unknown): Column {
  const { name, kind, words, known } = objectOf(stored);
  const named = { name: String(name), kind: String(kind), words: Array.isArray(words) ? words.map(String) : [] };
  return typeof known === "number" ? { ...named, known } : named;
}

/** Says the ends of a scale, or the values on it: with digits enough to tell them apart. */
export function scaleFormat(kind: string, low: number, high: number): (value: number) => string {
  if (kind === "time") {
    const hours = high - low < 3 * 86400;
    return (value) =>
      Number.isFinite(value)
        ? new Date(value * 1000)
            .toISOString()
            .slice(0, hours ? 16 : 10)
            .replace("T", " ")
        : "–";
  }
  const large = Math.max(Math.abs(low), Math.abs(high));
  const digits = Math.min(15, 3 + Math.max(0, Math.floor(Math.log10(large / (high - low || large || 1)))));
  return (value) =>
    (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)))).replace("-", "\u2212");
}

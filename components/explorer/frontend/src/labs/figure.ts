/** What leaves as a file of its own: a figure as SVG, PNG and CSV. */

export const NS = "http://www.w3.org/2000/svg";

export interface Figure {
  /** The figure as an SVG that needs nothing else. */
  file(): string;
  /** The numbers behind it. */
  csv(): string;
}

/** An element of SVG; text goes in as text. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>>,
  text?: string,
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** An SVG as pixels, twice as fine as it is drawn. */
export async function pixelsOf(drawing: string): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([drawing], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, fail) =>
      canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/png"),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** A cell of a CSV file. */
export const cell = (text: string): string => `"${text.replace(/"/g, '""')}"`;

/** The colour of the page behind an element. */
export function paperOf(element: Element): string {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const { backgroundColor } = getComputedStyle(at);
    if (backgroundColor && !/^rgba\(.*, 0\)$/.test(backgroundColor) && backgroundColor !== "transparent")
      return backgroundColor;
  }
  return "#ffffff";
}

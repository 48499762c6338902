/** Drawing on 2-D canvases. */

/**
 * A 2-D context whose pixels stay in ordinary memory. These canvases are small or change at every move: handing each
 * change to the graphics card and back costs more than drawing it, most of all where the card is software.
 */
export const cpuContext = (canvas: HTMLCanvasElement): CanvasRenderingContext2D =>
  canvas.getContext("2d", { willReadFrequently: true })!;

/** The colours of what is drawn on a canvas, as CSS writes them. They follow the theme. */
export interface Ink {
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly accent: string;
  readonly paper: string;
}

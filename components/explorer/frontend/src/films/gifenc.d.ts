/** What is used of gifenc 1.0.3, which has no types of its own. */
declare module "gifenc/dist/gifenc.esm.js" {
  type Palette = number[][];
  interface Frame {
    readonly palette?: Palette | undefined;
    /** Milliseconds. */
    readonly delay: number;
    /** -1: once; 0: for ever. */
    readonly repeat: number;
    readonly transparent: boolean;
    readonly transparentIndex: number;
    readonly dispose: number;
  }
  export function GIFEncoder(): {
    writeFrame(index: Uint8Array, width: number, height: number, frame: Frame): void;
    finish(): void;
    bytes(): Uint8Array<ArrayBuffer>;
  };
  export function quantize(rgba: Uint8ClampedArray, colours: number): Palette;
  export function applyPalette(rgba: Uint8ClampedArray, palette: Palette): Uint8Array;
}

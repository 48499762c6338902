/** Many small images that travel in one picture. */

/** A picture of rows of `across` images each, as their pixels (H, W, C). */
export async function cutTiles(url: string, shape: readonly number[], across: number): Promise<Uint8Array[][]> {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  context.drawImage(image, 0, 0);
  const [height, width, channels] = shape;
  const out: Uint8Array[][] = [];
  for (let y = 0; y + height <= image.height; y += height) {
    out.push(
      Array.from({ length: across }, (_, k) => {
        const { data } = context.getImageData(k * width, y, width, height);
        const pixels = new Uint8Array(height * width * channels);
        for (let i = 0; i < height * width; i++)
          for (let c = 0; c < channels; c++) pixels[i * channels + c] = data[4 * i + c];
        return pixels;
      }),
    );
  }
  return out;
}

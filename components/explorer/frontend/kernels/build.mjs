// Builds index.ts and learning.ts into modules of ../src: their bytes as hexadecimal text, so that they travel inside the
// bundle. Base64 would be shorter and, once it is deflated, longer: it hides what repeats.
import asc from "assemblyscript/asc";
import { writeFileSync } from "node:fs";

const options = ["-O3", "--converge", "--runtime", "stub", "--noAssert", "--enable", "simd", "--importMemory"];

for (const [from, to] of [
  ["index", "network"],
  ["learning", "learning"],
]) {
  const { error, stderr } = await asc.main([`kernels/${from}.ts`, "--outFile", "kernels.wasm", ...options], {
    writeFile(name, contents) {
      if (!name.endsWith(".wasm")) return;
      const text = Buffer.from(contents).toString("hex");
      const about = `/** kernels/${from}.ts, compiled (npm run kernels). */`;
      writeFileSync(`src/${to}/kernels.wasm.ts`, `${about}\nexport const KERNELS =\n  "${text}";\n`);
    },
  });
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
}

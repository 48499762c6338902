// Builds index.ts into ../src/network/kernels.wasm.ts: the module's bytes as hexadecimal text, so that they travel inside the
// bundle. Base64 would be shorter and, once it is deflated, longer: it hides what repeats.
import asc from "assemblyscript/asc";
import { writeFileSync } from "node:fs";

const options = ["-O3", "--converge", "--runtime", "stub", "--noAssert", "--enable", "simd", "--importMemory"];
const { error, stderr } = await asc.main(["kernels/index.ts", "--outFile", "kernels.wasm", ...options], {
  writeFile(name, contents) {
    if (!name.endsWith(".wasm")) return;
    const text = Buffer.from(contents).toString("hex");
    const about = "/** kernels/index.ts, compiled (npm run kernels). */";
    writeFileSync("src/network/kernels.wasm.ts", `${about}\nexport const KERNELS =\n  "${text}";\n`);
  },
});
if (error) {
  console.error(stderr.toString());
  process.exit(1);
}

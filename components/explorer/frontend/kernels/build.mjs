// Builds index.ts and learning.ts into modules of ../src: their bytes as hexadecimal text, so that they travel inside the
// bundle. Base64 would be shorter and, once it is deflated, longer: it hides what repeats. What learns comes twice: most
// browsers may multiply and add at once (relaxed SIMD), which is half as fast again.
import asc from "assemblyscript/asc";
import { writeFileSync } from "node:fs";

const OPTIONS = ["-O3", "--converge", "--runtime", "stub", "--noAssert", "--enable", "simd", "--importMemory"];

async function compiled(from, ...more) {
  let text = "";
  const { error, stderr } = await asc.main([`kernels/${from}.ts`, "--outFile", "kernels.wasm", ...OPTIONS, ...more], {
    writeFile(name, contents) {
      if (name.endsWith(".wasm")) text = Buffer.from(contents).toString("hex");
    },
  });
  if (!error) return text;
  console.error(stderr.toString());
  process.exit(1);
}

const about = (from) => `/** kernels/${from}.ts, compiled (npm run kernels). */`;
const index = await compiled("index");
writeFileSync("src/network/kernels.wasm.ts", `${about("index")}\nexport const KERNELS =\n  "${index}";\n`);
const plain = await compiled("learning"),
  relaxed = await compiled("learning", "--enable", "relaxed-simd");
writeFileSync(
  "src/learning/kernels.wasm.ts",
  `${about("learning")}\nexport const PLAIN =\n  "${plain}";\nexport const RELAXED =\n  "${relaxed}";\n`,
);

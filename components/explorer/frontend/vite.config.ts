import { createReadStream, createWriteStream, copyFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const runtime = "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded";
const out = "../built";

/** Lays the runtime beside the bundle. Node's gzip writes no time and no file name, so equal input is an equal file. */
function runtimeBeside(): Plugin {
  return {
    name: "runtime-beside",
    apply: "build",
    async writeBundle() {
      copyFileSync(`${runtime}.mjs`, `${out}/ort-wasm-simd-threaded.mjs`);
      await pipeline(
        createReadStream(`${runtime}.wasm`),
        createGzip({ level: 9 }),
        createWriteStream(`${out}/ort-wasm-simd-threaded.wasm.gz`),
      );
    },
  };
}

export default defineConfig({
  plugins: [runtimeBeside()],
  // Without this condition the bundle carries tens of megabytes of the runtime as base64.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "import", "module", "browser", "default"] },
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    rollupOptions: {
      input: {
        explorer: "src/hosts/streamlit.ts",
        page: "src/hosts/streamlit-page.ts",
        loader: "src/hosts/streamlit-loader.ts",
        upload: "src/upload/upload.ts",
      },
      preserveEntrySignatures: "exports-only",
      // Names without hashes: the whole folder is addressed by its content.
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
  test: { include: ["test/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);

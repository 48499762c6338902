import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../built",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    rollupOptions: {
      input: {
        explorer: "src/hosts/streamlit.ts",
        compare: "src/hosts/streamlit-compare.ts",
        lab: "src/hosts/streamlit-lab.ts",
        page: "src/hosts/streamlit-page.ts",
        loader: "src/hosts/streamlit-loader.ts",
        upload: "src/upload/upload.ts",
        network: "src/network/index.ts", // what the page and its worker share
        worker: "src/network/worker.ts",
        learning: "src/learning/index.ts", // what benchmarks and tests train with
      },
      preserveEntrySignatures: "exports-only",
      // Names without hashes: the whole folder is addressed by its content.
      output: {
        comments: { legal: true }, // what licences ask for stays
        entryFileNames: "[name].js",
        // What only those fetch who train or film here has its own name: whatever is called shared is fetched ahead.
        chunkFileNames: ({ isDynamicEntry, moduleIds }) => {
          if (moduleIds.every((id) => /src.films|gifenc/.test(id))) return "film-[name].js";
          return isDynamicEntry || moduleIds.every((id) => id.includes("/learning/")) ? "again-[name].js" : "shared.js";
        },
        assetFileNames: "[name][extname]",
      },
    },
  },
  test: { include: ["test/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);

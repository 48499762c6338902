import { defineConfig } from "vite";

/** The script of a page that is a run: everything in one file, for pages that fetch nothing. */
export default defineConfig({
  build: {
    outDir: "../built",
    emptyOutDir: false,
    target: "es2022",
    rollupOptions: {
      input: "src/hosts/page.ts",
      output: { format: "iife", entryFileNames: "standalone.js" },
    },
  },
});

import { defineConfig } from "vite";

/**
 * Scripts of pages that fetch nothing, each with everything in one file: `standalone` of a page that is a run, `site` of the
 * pages of a site.
 */
export default defineConfig(({ mode }) => ({
  build: {
    outDir: "../built",
    emptyOutDir: false,
    modulePreload: false,
    target: "es2022",
    rollupOptions: {
      input: mode === "site" ? "src/hosts/site.ts" : "src/hosts/page.ts",
      output: {
        format: "iife" as const,
        comments: { legal: true },
        entryFileNames: mode === "site" ? "site.js" : "standalone.js",
      },
    },
  },
}));

import { defineConfig } from "vite";

/**
 * Scripts with everything in one file: `standalone` of a page that is a run, `site` of the pages of a site, both of which
 * fetch nothing; and `notebook`, a module that the kernel of a notebook hands to the browser.
 */
const HOSTS: Readonly<Record<string, readonly [name: string, host: string]>> = {
  site: ["site", "src/hosts/site.ts"],
  notebook: ["notebook", "src/hosts/anywidget.ts"],
};

export default defineConfig(({ mode }) => {
  const [name, host] = HOSTS[mode] ?? ["standalone", "src/hosts/page.ts"];
  return {
    build: {
      outDir: "../built",
      emptyOutDir: false,
      modulePreload: false,
      target: "es2022",
      rollupOptions: {
        input: host,
        ...(mode === "notebook" ? { preserveEntrySignatures: "exports-only" as const } : {}),
        output: {
          format: mode === "notebook" ? ("es" as const) : ("iife" as const),
          codeSplitting: false,
          comments: { legal: true },
          entryFileNames: `${name}.js`,
        },
      },
    },
    worker: { format: "es" as const, rollupOptions: { output: { codeSplitting: false } } },
  };
});

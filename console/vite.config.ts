import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// Everything is a file of this origin: the page's policy allows no inline script, style or data font.
export default defineConfig({
  plugins: [react()],
  test: { css: true }, // else a test would read an empty palette
  build: {
    outDir: "../src/steadyhand/console/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2022",
  },
});

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Everything is a file of this origin: the page's policy allows no inline script, style or data font.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/steadyhand/console/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2022",
  },
});

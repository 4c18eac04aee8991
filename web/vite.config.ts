import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The binary embeds `dist`; file names carry a hash of their contents, so browsers may keep them for ever.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "dist",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rollupOptions: { output: { manualChunks: { editor: ["@codemirror/view", "@codemirror/state", "@codemirror/language", "@codemirror/autocomplete", "@codemirror/commands"] } } },
  },
  server: { proxy: { "/api": process.env.TRACERY_URL ?? "http://127.0.0.1:8080" } },
});

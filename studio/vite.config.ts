import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server serves what this writes; while developing, `npm run dev` passes API calls on to a running `daybreak serve`.
const server = process.env.DAYBREAK_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "./", // addresses are relative to <base href>, which the server sets: works under any path
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    outDir: "../src/daybreak/server/dist",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // nothing inline: the content security policy allows no data: scripts or styles
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/v1": server, "/studio": server, "/healthz": server } },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Writes a compressed copy beside each file that is worth it, so that the server never compresses. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir }) {
      for (const name of readdirSync(dir!, { recursive: true, encoding: "utf8" })) {
        const path = join(dir!, name);
        if (!statSync(path).isFile() || name === "index.html" || !/\.(js|css|svg|json)$/.test(name)) continue;
        const content = readFileSync(path);
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params }));
      }
    },
  };
}

/** While one works on it, the page is filled in by this server: a token of $CHARTWELL_TOKEN, and no policy. */
function filledIn(): Plugin {
  return {
    name: "filled-in",
    apply: "serve",
    transformIndexHtml: (html) =>
      html.replace("{{ token }}", process.env.CHARTWELL_TOKEN ?? "").replace("{{ nonce }}", ""),
  };
}

export default defineConfig({
  plugins: [react(), compressed(), filledIn()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // While one works on it: the API of a program that runs beside.
  server: {
    proxy: Object.fromEntries(
      ["/api", "/docs", "/openapi.json"].map((path) => [path, process.env.CHARTWELL_URL ?? "http://127.0.0.1:8080"]),
    ),
  },
});

// What a first visit loads: the page's own script and all that it preloads or imports at once, zipped. Fails above the budget.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = 250_000; // bytes
const dist = new URL("../../src/daybreak/server/dist/", import.meta.url);
const html = readFileSync(new URL("index.html", dist), "utf8");
const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map((match) => match[1]);
const seen = new Set();
const visit = (name) => {
  if (seen.has(name)) return;
  seen.add(name);
  const code = readFileSync(new URL(name, dist), "utf8");
  for (const [, next] of code.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) visit(`assets/${next}`);
};
for (const name of first) visit(name);
const zipped = (name) => gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length;
const total = [...seen].reduce((sum, name) => sum + zipped(name), 0);
const everything = readdirSync(new URL("assets/", dist)).reduce(
  (sum, name) => sum + readFileSync(new URL(`assets/${name}`, dist)).length,
  0,
);
console.log(
  `first load: ${(total / 1000).toFixed(1)} kB of JavaScript zipped, in ${seen.size} files; everything: ${(everything / 1e6).toFixed(2)} MB`,
);
if (total > BUDGET) {
  console.error(`that is above the budget of ${BUDGET / 1000} kB`);
  process.exit(1);
}

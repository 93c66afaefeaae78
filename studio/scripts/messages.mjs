// Lists every text of the studio in src/locales/en.json, from which a translator starts. With --check: fails if it is stale.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../src/", import.meta.url).pathname;
const files = readdirSync(root, { recursive: true }).filter(
  (name) => /\.tsx?$/.test(name) && !name.endsWith(".test.ts"),
);
const texts = new Set();
const literal = String.raw`"((?:[^"\\]|\\.)*)"`;
const calls = [
  new RegExp(String.raw`\bt\(\s*${literal}`, "g"),
  new RegExp(String.raw`\bplural\([^"]*?${literal},\s*${literal}`, "g"),
];
for (const name of files) {
  const code = readFileSync(join(root, name), "utf8");
  for (const call of calls) {
    for (const match of code.matchAll(call)) for (const text of match.slice(1)) texts.add(JSON.parse(`"${text}"`));
  }
}
const target = join(root, "locales/en.json");
const listed = `${JSON.stringify(Object.fromEntries([...texts].sort().map((text) => [text, text])), null, 2)}\n`;
if (process.argv.includes("--check")) {
  const there = readFileSync(target, "utf8");
  if (there !== listed) {
    console.error("src/locales/en.json is stale: run `npm run messages`");
    process.exit(1);
  }
} else {
  writeFileSync(target, listed);
  console.log(`${texts.size} texts`);
}

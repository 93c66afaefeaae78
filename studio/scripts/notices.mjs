// The licences of what is bundled, beside the bundle: every package of package-lock.json that is not for development only.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const here = new URL("../", import.meta.url);
const lock = JSON.parse(readFileSync(new URL("package-lock.json", here), "utf8"));
const parts = ["Daybreak's studio is under the Apache License 2.0. It is built with these packages:\n"];
for (const [path, facts] of Object.entries(lock.packages)) {
  const folder = new URL(`${path}/`, here);
  if (!path || facts.dev || facts.optional || !existsSync(folder)) continue;
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name));
  const text = file ? readFileSync(new URL(file, folder), "utf8").trim() : "(no licence file)";
  parts.push(
    `${"-".repeat(80)}\n${path.replace(/^.*node_modules\//, "")} ${facts.version}, ${facts.license ?? "?"}\n\n${text}\n`,
  );
}
writeFileSync(new URL("../src/daybreak/server/dist/NOTICES.txt", here), parts.join("\n"));

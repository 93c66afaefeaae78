/** Translation in the manner of gettext: the English text is the key, so the code reads as what the user reads.
 *
 * `t("Delete {count} clips", { count })` looks its text up in the chosen language's file and falls back to English. A
 * language file is `locales/CODE.json`, English text to translation; `npm run messages` lists every text in
 * `locales/en.json`, from which a translator starts.
 */
type Values = Record<string, string | number>;

const files = import.meta.glob<Record<string, string>>("../locales/*.json", { import: "default" });
let messages: Record<string, string> = {};
let language = "en";

export function languages(): string[] {
  return Object.keys(files).map((path) => path.replace(/^.*\/(.+)\.json$/, "$1"));
}

export async function loadLanguage(code: string): Promise<void> {
  language = code;
  document.documentElement.lang = code;
  const load = files[`../locales/${code}.json`];
  messages = code === "en" || !load ? {} : await load();
}

export function t(text: string, values?: Values): string {
  const found = messages[text] || text;
  return values ? found.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : found;
}

/** One of two texts by number: `plural(3, "{count} clip", "{count} clips")`. */
export function plural(count: number, one: string, other: string, values?: Values): string {
  const form = new Intl.PluralRules(language).select(count);
  return t(form === "one" ? one : other, { count: number(count), ...values });
}

export function number(value: number): string {
  return new Intl.NumberFormat(language).format(value);
}

export function locale(): string {
  return language;
}

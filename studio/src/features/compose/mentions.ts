/** Characters named in a prompt as @Name. On the wire the name stands without the sign, and the ids go along. */
import type { Character } from "@/api/types";

export interface Mention {
  start: number;
  end: number;
  character: Character;
}

/** Where the prompt names characters; of two names that begin alike the longer one counts. */
export function findMentions(prompt: string, characters: readonly Character[]): Mention[] {
  const byLength = characters
    .filter((one): one is Character & { name: string } => Boolean(one.name))
    .sort((a, b) => b.name.length - a.name.length);
  const found: Mention[] = [];
  for (let at = prompt.indexOf("@"); at >= 0; at = prompt.indexOf("@", at + 1)) {
    const rest = prompt.slice(at + 1).toLowerCase();
    const character = byLength.find(({ name }) => {
      const after = rest.charAt(name.length);
      return rest.startsWith(name.toLowerCase()) && !/[\p{L}\p{N}_]/u.test(after);
    });
    if (character) found.push({ start: at, end: at + 1 + character.name.length, character });
  }
  return found;
}

/** The prompt as the model reads it, and whom it names. */
export function resolveMentions(prompt: string, characters: readonly Character[]): { prompt: string; ids: string[] } {
  let text = "";
  let reached = 0;
  const mentions = findMentions(prompt, characters);
  for (const { start, end, character } of mentions) {
    text += prompt.slice(reached, start) + character.name;
    reached = end;
  }
  return { prompt: text + prompt.slice(reached), ids: [...new Set(mentions.map((one) => one.character.id))] };
}

/** What is being typed after an @ at the caret, or null. */
export function mentionAt(prompt: string, caret: number): { start: number; query: string } | null {
  const match = /(?:^|[\s(,.;:])@([\p{L}\p{N}_ '-]{0,40})$/u.exec(prompt.slice(0, caret));
  if (!match) return null;
  const query = match[1] ?? "";
  return query.split(" ").length > 3 ? null : { start: caret - query.length - 1, query };
}

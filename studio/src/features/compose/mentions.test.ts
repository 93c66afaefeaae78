import { describe, expect, it } from "vitest";
import { findMentions, mentionAt, resolveMentions } from "@/features/compose/mentions";

const cast = ["Ada", "Ada Lovelace", "Fox"].map((name, index) => ({ id: `char_${index}`, name, created_at: 0 }));

describe("characters in a prompt", () => {
  it("prefer the longer of two names that begin alike", () => {
    expect(findMentions("@Ada Lovelace meets @Ada", cast).map((one) => one.character.name)).toEqual([
      "Ada Lovelace",
      "Ada",
    ]);
  });
  it("go out by name, each id once", () => {
    expect(resolveMentions("@fox follows @Fox and @Nobody", cast)).toEqual({
      prompt: "Fox follows Fox and @Nobody",
      ids: ["char_2"],
    });
  });
  it("are whole words", () => {
    expect(findMentions("@Adamant, mail a@Fox.org", cast).map((one) => one.character.name)).toEqual(["Fox"]);
  });
  it("are offered while an @ is being typed", () => {
    expect(mentionAt("see @Fo", 7)).toEqual({ start: 4, query: "Fo" });
    expect(mentionAt("@", 1)).toEqual({ start: 0, query: "" });
    expect(mentionAt("a@b", 3)).toBeNull();
    expect(mentionAt("@one two three four", 19)).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import * as tl from "@/lib/timeline";
import { begin, change, redo, undo } from "@/lib/undo";

const clip = (media: string, seconds: number): tl.Source => ({
  media,
  seconds,
  width: 640,
  height: 360,
  fps: 24,
  prompt: `prompt of ${media}`,
});
const spans = (made: tl.Timeline) => made.pins.map((pin) => [pin.media, pin.start, pin.end, pin.media_start]);

describe("tools become timelines", () => {
  it("loop leads from the last kept frame back to the first", () => {
    const made = tl.loop(clip("a", 4), "p", 1, 3, 2);
    expect(spans(made)).toEqual([["a", 0, 2, 1]]);
    expect([made.loop, made.spec.num_frames]).toEqual([true, 96]);
  });
  it("re-cut keeps parts at new places and names the gaps", () => {
    const made = tl.recut(
      clip("a", 4),
      "p",
      [
        { id: "x", from: 0, to: 1, at: 0 },
        { id: "y", from: 3, to: 4, at: 2 },
      ],
      3,
    );
    expect(spans(made)).toEqual([
      ["a", 0, 1, 0],
      ["a", 2, 3, 3],
    ]);
    expect(
      tl.gaps(
        made.pins.map((pin) => ({ start: pin.start, end: pin.end ?? 0 })),
        3,
      ),
    ).toEqual([{ start: 1, end: 2 }]);
  });
  it("blend holds both clips in the crossing with strengths that follow the curve", () => {
    const made = tl.blend(clip("a", 3), clip("b", 2), "p", 1, tl.BLEND_CURVES.transition);
    expect(spans(made)).toEqual([
      ["a", 0, 2, 0],
      ["a", 2, 3, 2],
      ["b", 2, 3, 0],
      ["b", 3, 4, 1],
    ]);
    expect(made.pins.map((pin) => [pin.strength, pin.strength_end])).toEqual([
      [1, null],
      [1, 0],
      [0, 1],
      [1, null],
    ]);
    expect(made.spec.num_frames).toBe(96);
  });
  it("blend never overlaps longer than the shorter clip", () => {
    const made = tl.blend(clip("a", 3), clip("b", 1), "p", 5, tl.BLEND_CURVES.mix);
    expect(made.spec.num_frames).toBe(72);
    expect(Math.max(...made.pins.map((pin) => pin.end ?? 0))).toBeLessThanOrEqual(3);
  });
  it("stitch lays clips end to end, each with its own prompt", () => {
    const made = tl.stitch([
      { source: clip("a", 2), from: 0.5, to: 2 },
      { source: clip("b", 1), from: 0, to: 1 },
    ]);
    expect(spans(made)).toEqual([
      ["a", 0, 1.5, 0.5],
      ["b", 1.5, 2.5, 0],
    ]);
    expect(made.shots.map((shot) => [shot.prompt, shot.start, shot.end])).toEqual([
      ["prompt of a", 0, 1.5],
      ["prompt of b", 1.5, null],
    ]);
    expect(() => tl.stitch([])).toThrow();
  });
});

describe("undo", () => {
  it("goes back and forth, and a new change forgets what was undone", () => {
    let history = change(change(begin(0), 1), 2);
    history = undo(history);
    expect([history.present, redo(history).present]).toEqual([1, 2]);
    history = change(history, 5);
    expect([redo(history).present, undo(history).present, undo(undo(undo(history))).present]).toEqual([5, 1, 0]);
  });
  it("joins the changes of one gesture", () => {
    let history = begin(0);
    for (const value of [1, 2, 3]) history = change(history, value, "drag");
    history = change(history, 4, "other drag");
    expect(undo(history).present).toBe(3);
    expect(undo(undo(history)).present).toBe(0);
  });
});

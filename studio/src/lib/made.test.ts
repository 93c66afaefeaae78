import { describe, expect, it } from "vitest";
import { dateOf, spanOf, written } from "@/lib/made";

const NOON = new Date(2026, 10, 25, 12, 34, 56);
const midnight = (year: number, month: number, day: number) => new Date(year, month - 1, day).getTime() / 1000;

describe("when clips were made", () => {
  it("counts today among the last days, and stays the same until midnight", () => {
    expect(spanOf({ made: "today" }, NOON)).toEqual({ created_from: midnight(2026, 11, 25) });
    expect(spanOf({ made: "week" }, NOON)).toEqual({ created_from: midnight(2026, 11, 19) });
    expect(spanOf({ made: "month" }, NOON)).toEqual(spanOf({ made: "month" }, new Date(2026, 10, 25, 23, 59)));
  });
  it("has both dates in it, and either alone", () => {
    expect(spanOf({ from: "2026-11-01", to: "2026-11-30" }, NOON)).toEqual({
      created_from: midnight(2026, 11, 1),
      created_before: midnight(2026, 12, 1),
    });
    expect(spanOf({ to: "2026-12-31" }, NOON)).toEqual({ created_before: midnight(2027, 1, 1) });
  });
  it("leaves out what is no date", () => {
    expect(dateOf("2026-02-30")).toBeNull();
    expect(spanOf({ from: "yesterday", to: "" }, NOON)).toEqual({});
    expect(written(dateOf("2028-02-29") as Date)).toBe("2028-02-29");
  });
});

// What is computed without a page: formats, filters, the ladder's sentences.
import { describe, expect, it } from "vitest";

import { type RequestRow, axisEndMs, barsOf, closeEndMs, sentenceOf, ticks } from "./charts/ladder";
import { inLadderOrder, rungLook } from "./charts/rungs";
import { NOTHING, ago, clock, figure, milliseconds, percent, plain } from "./format";
import { fromAddress, line, parsed } from "./state/filter";
import { written } from "./api/client";

describe("numbers", () => {
  it("says nothing of nothing", () => {
    expect(milliseconds(null)).toBe(NOTHING);
    expect(percent(undefined)).toBe(NOTHING);
    expect(figure(null)).toBe(NOTHING);
  });

  it("never rounds to all or to nothing", () => {
    expect(percent(1)).toBe("100 %");
    expect(percent(0)).toBe("0 %");
    expect(percent(0.99999)).toBe("99.99 %");
    expect(percent(0.9996, 0)).toBe("99.9 %");
    expect(percent(0.0001)).toBe("< 0.1 %");
    expect(percent(0.5)).toBe("50.0 %");
  });

  it("has units that fit", () => {
    expect(milliseconds(0.42)).toBe("0.4 ms");
    expect(milliseconds(42)).toBe("42 ms");
    expect(milliseconds(142.4)).toBe("142 ms");
    expect(milliseconds(1420)).toBe("1.42 s");
    expect(milliseconds(14_200)).toBe("14.2 s");
    expect(figure(0.25)).toBe("0.25");
    expect(figure(1)).toBe("1");
    expect(figure(1234)).toBe("1,234");
    expect(figure(5.18e21)).toBe("5.2e21");
  });

  it("tells time in UTC", () => {
    expect(clock(1_900_000_000_120_000)).toBe("17:46:40.120");
    expect(ago(1_000_000, 11_000)).toBe("10 s ago");
    expect(ago(0, 600_000)).toBe("10 min ago");
    expect(ago(5_000_000, 1_000)).toBe("0 s ago");
  });

  it("lets no text of others turn a line", () => {
    expect(plain("a\u202eb\u0007c\u2066")).toBe("a\ufffdb\ufffdc\ufffd");
  });
});

describe("the filter", () => {
  it("is one line and its parameters", () => {
    const { filter, problem } = parsed("route:support  outcome:floor");
    expect(problem).toBe("");
    expect(line(filter)).toBe("route:support outcome:floor");
    expect(fromAddress(new URLSearchParams("route=support&outcome=floor&row=1"))).toEqual(filter);
  });

  it("says what it does not know instead of passing it over", () => {
    expect(parsed("support").problem).toContain("“support” is no filter");
    expect(parsed("rout:support").problem).toContain("rout:support");
    expect(parsed("route:").problem).not.toBe("");
  });

  it("leaves out of an address what is not asked", () => {
    expect(written({ a: undefined, b: "", c: 0, d: "x y" })).toBe("?c=0&d=x+y");
    expect(written({})).toBe("");
  });
});

const attempt = {
  rung: "live",
  provider: "openai",
  model: "fast",
  region: "",
  started_us: 0,
  ended_us: 800_000,
  status: 0,
  reason: "gave_up",
  role: "first",
  input_tokens: 0,
  output_tokens: 0,
  usage: "",
};
const request = {
  attempts: [attempt, { ...attempt, provider: "backup", started_us: 800_000, ended_us: 1_900_000, reason: "ok", role: "fallback" }],
  has_decision: true,
  budget_us: 2_500_000,
  total_us: 1_956_000,
  stream: false,
  first_content_us: 0,
  in_time: true,
  outcome: "answered",
  provider: "backup",
  model: "fast",
  rung: "live",
  status: 200,
  reason: "ok",
} as RequestRow;

describe("the ladder", () => {
  it("is told in a sentence with the reason of each failure", () => {
    expect(sentenceOf(request)).toBe("Answered in 1956 ms within its 2500 ms by backup/fast. openai/fast said gave_up at 800 ms.");
    expect(sentenceOf({ ...request, outcome: "floor", rung: "template", in_time: false })).toContain("The floor (template) answered in 1956 ms, past its 2500 ms");
    expect(sentenceOf({ ...request, outcome: "rejected", status: 400, reason: "bad_json" })).toBe("Refused with status 400: bad_json.");
    const stored = { ...request, attempts: [], rung: "cache", age_ms: 20_500 };
    expect(sentenceOf(stored)).toBe("Answered in 1956 ms within its 2500 ms by the cache, as backup/fast did 20.5 s before.");
    expect(sentenceOf({ ...stored, rung: "knowledge", provider: "" })).toContain(" by a curated answer.");
    for (const outcome of ["truncated", "client_gone", "interrupted", "failed"] as const)
      expect(sentenceOf({ ...request, outcome })).not.toBe("");
  });

  it("shows what was planned around as never asked", () => {
    const passed = { ...attempt, role: "", reason: "open" };
    const bars = barsOf({ ...request, attempts: [passed, ...request.attempts] });
    expect(bars.map((bar) => bar.isGhost)).toEqual([true, false, false]);
    expect(bars.map((bar) => bar.isGood)).toEqual([false, false, true]);
  });

  it("shows the rung that spoke though it asked nobody", () => {
    const floor = barsOf({ ...request, attempts: [attempt], rung: "template" });
    expect(floor.map((bar) => [bar.label, bar.startMs, bar.endMs])).toEqual([
      ["openai/fast", 0, 800],
      ["template", 800, 1956],
    ]);
    expect(barsOf({ ...request, attempts: [], rung: "" })).toEqual([]);
  });

  it("has room for the deadline, unless that is far away", () => {
    expect(axisEndMs(request)).toBeGreaterThan(2500);
    expect(closeEndMs({ ...request, budget_us: 10 ** 12 })).toBeLessThan(2100);
    expect(closeEndMs(request)).toBe(axisEndMs(request));
    expect(ticks(2500)).toEqual([0, 500, 1000, 1500, 2000, 2500]);
  });

  it("has an order and a word for every rung", () => {
    expect(inLadderOrder(["", "template", "live", "zebra", "cache"])).toEqual(["live", "cache", "template", "", "zebra"]);
    expect(rungLook("zebra").word).toBe("zebra");
  });
});

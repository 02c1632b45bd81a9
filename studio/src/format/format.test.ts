import { describe, expect, it, vi } from "vitest";
import { label } from "./names";
import { bytes, change, duration, knownMoney, money, percent, points, pValue, short, value } from "./numbers";
import { ago, bucket, day, tick } from "./times";

describe("numbers", () => {
  it("that are not known are a dash, and zero is zero", () => {
    for (const unit of ["ratio", "ms", "usd", "count"]) {
      expect([value(null, unit), value(undefined, unit), value(Number.NaN, unit), short(null, unit)]).toEqual([
        "–",
        "–",
        "–",
        "–",
      ]);
      expect(value(0, unit)).toMatch(/0/);
    }
    expect(pValue(null)).toBe("–");
  });

  it.each([
    [value(1234567, "count"), "1,234,567"],
    [value(4.8571, "pages"), "4.857"],
    [value("12.345678900", "usd"), "$12.35"],
    [value("0.000123", "usd"), "$0.000123"],
    [money(12345.6), "$12,346"],
    [money(0.00002344), "$0.0000234"],
    [money(0.01234), "$0.0123"],
    [money("0"), "$0.00"],
    [knownMoney("1.5", 3, 3).shows, "$1.50"],
    [knownMoney("1.5", 2, 3).shows, "≥ $1.50"],
    [knownMoney(null, 0, 3).shows, "–"],
    [knownMoney(null, 0, 3).title, "The cost of 0 of 3 calls is known."],
    [percent(0.1234), "12.3%"],
    [percent(0.0012), "0.12%"],
    [percent(0.9995), "99.950%"],
    [percent(0.995), "99.50%"],
    [percent(1), "100.0%"],
    [change(0.26), "+26%"],
    [change(-0.0123), "-1.2%"],
    [change(0), "0%"],
    [points(0.2134), "+21.3"],
    [duration(0.25), "0.25ms"],
    [duration(42.06), "42.1ms"],
    [duration(1_634), "1.63s"],
    [duration(59_940), "59.9s"],
    [duration(101_400), "1m 41s"],
    [duration(119_700), "2m"],
    [duration(7_500_000), "2h 5m"],
    [duration(86_400_000 * 3 + 3_600_000 * 4), "3d 4h"],
    [bytes(15_195_987), "15.2 MB"],
    [pValue(0.0000012), "< 0.0001"],
    [pValue(0.0334), "0.033"],
    [short(1_250_000, "tokens"), "1.3M"],
  ])("read as people write them: %s", (said, expected) => expect(said).toBe(expected));
});

describe("times", () => {
  it("are of the calendar that buckets are of, whatever calendar and digits people read", async () => {
    vi.stubGlobal("navigator", { language: "fa-IR" });
    vi.resetModules();
    const persian = await import("./times");
    expect(persian.tick("2026-11-30T00:00:00+01:00", "hour", "Europe/Amsterdam")).toBe("۳۰ نوامبر");
    expect(persian.tick("2026-11-30T01:00:00+01:00", "hour", "Europe/Amsterdam")).toBe("۰۱:۰۰");
    expect(persian.tick("2026-10-01T00:00:00+02:00", "quarter", "Europe/Amsterdam")).toBe("Q4 ۲۰۲۶");
    vi.unstubAllGlobals();
  });

  it("are in the zone of the view", () => {
    expect(bucket("2026-02-01T00:00:00+05:45", "day", "Asia/Kathmandu")).toBe("Sun, February 1, 2026");
    expect(tick("2026-02-01T00:00:00+05:45", "day", "Asia/Kathmandu")).toBe("Feb 1");
    expect(tick("2026-04-01T00:00:00+02:00", "quarter", "Europe/Amsterdam")).toBe("Q2 2026");
    expect(day("2026-02-01", "America/Los_Angeles")).toBe("Sun, Feb 1, 2026");
  });

  it("tell apart the two hours at which clocks are put back", () => {
    const hours = ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"];
    const [summer, winter] = hours.map((hour) => bucket(hour, "hour", "Europe/Amsterdam"));
    expect(summer).not.toBe(winter);
  });

  it("say how long ago something was", () => {
    const now = Date.parse("2026-02-01T12:00:00Z");
    expect(ago("2026-02-01T11:58:00Z", now)).toBe("2 minutes ago");
    expect(ago("2026-01-31T12:00:00Z", now)).toBe("yesterday");
    expect(ago("2026-02-01T12:00:00Z", now)).toBe("now");
  });
});

it("names are words", () => {
  expect(["error_rate", "p95_ms", "cost_usd", "agent_id", "runs"].map(label)).toEqual([
    "Error rate",
    "p95",
    "Cost",
    "Agent ID",
    "Runs",
  ]);
});

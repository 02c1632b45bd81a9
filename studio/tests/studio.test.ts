/** The studio in a real browser, before the demo: what it shows is what the API says. */
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Axe } from "./axe";
import { launch, open, settled } from "./browser";
import { type Program, token as signed, start } from "./program";

const EVENTS = "200000";
const RANGE = "range=30d&timezone=Europe/Amsterdam";
const PAGES = [
  "/",
  "/recommendations",
  "/assistants",
  "/traces",
  "/voice-agents",
  "/experiments",
  "/experiments/suggested-replies",
  "/product",
  "/operations",
];

let demo: Program;
let browser: Browser;
let token: string;

beforeAll(async () => {
  [demo, browser] = await Promise.all([start(["demo", "--events", EVENTS]), launch()]);
  const html = await (await fetch(demo.url)).text();
  token = /name="chartwell-token" content="([^"]+)"/.exec(html)![1]!;
}, 900_000);

afterAll(async () => {
  await browser?.close();
  await demo?.stop();
}, 60_000);

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked into as it came
async function api(path: string): Promise<any> {
  const response = await fetch(demo.url + path, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status, path).toBe(200);
  return response.json();
}

const looked = (path: string, options = {}) => open(browser, demo.url + path, options);

/** What a number on the screen says. */
function numberOf(text: string): number {
  return Number(text.replace(/[^\d.-]/g, ""));
}

describe("every page", () => {
  it.each(PAGES)(
    "is there, without a complaint, for everyone: %s",
    async (path) => {
      const { page, complaints } = await looked(path);
      await settled(page);
      expect(await page.locator('[role="alert"].MuiBox-root').count(), "problems").toBe(0);
      for (const scheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        const found = await new Axe(page).serious();
        expect(found, scheme).toEqual([]);
      }
      await page.setViewportSize({ width: 390, height: 844 });
      await settled(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
      expect(await new Axe(page).serious(), "narrow").toEqual([]);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
    120_000,
  );

  it("makes room on a narrow screen before its script has heard of it", async () => {
    const { page } = await looked("/traces");
    await page.addInitScript(() => {
      const { matchMedia } = window;
      const wide = (media: string) => Object.assign(new EventTarget(), { matches: true, media }) as MediaQueryList;
      window.matchMedia = (media) => (media.includes("min-width") ? wide(media) : matchMedia.call(window, media));
    });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.reload();
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.context().close();
  });

  it("is found from the first one by the keyboard alone", async () => {
    const { page } = await looked("/");
    await settled(page);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    const link = page.getByRole("link", { name: "Voice agents" });
    for (let press = 0; press < 20 && !(await link.evaluate((one) => one === document.activeElement)); press += 1) {
      await page.keyboard.press("Tab");
    }
    expect(await link.evaluate((one) => getComputedStyle(one).outlineStyle)).toBe("solid");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Voice agents" }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");
    expect(await page.title()).toBe("Voice agents · Chartwell");
    await page.context().close();
  });

  it("has one trace as a timeline, with what was said for those who may see it", async () => {
    const listed = await api(`/api/v1/assistants/traces?${RANGE}&limit=20`);
    const { trace_id } = listed.items.find((run: { spans: number }) => run.spans > 3);
    const trace = await api(`/api/v1/assistants/traces/${trace_id}`);
    const { page, complaints } = await looked(`/traces/${trace_id}`);
    await settled(page);
    const rows = page.getByRole("list", { name: "Spans" }).getByRole("listitem");
    expect(await rows.count()).toBe(trace.spans.length);
    await rows.first().getByRole("button").click();
    const details = page.getByRole("dialog", { name: "Span" });
    await details.waitFor();
    expect(await details.textContent()).toContain(trace.spans[0].span_id);
    expect(await details.textContent()).toContain("Attributes");
    expect(await new Axe(page).serious()).toEqual([]);
    await page.keyboard.press("Escape");
    await details.waitFor({ state: "hidden" });
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 60_000);
});

describe("what is shown", () => {
  it("are the numbers of the API", async () => {
    const { page } = await looked(`/recommendations?${RANGE}`);
    await settled(page);
    const { totals } = await api(`/api/v1/recommendations/totals?${RANGE}`);
    for (const { id, value, unit } of totals) {
      const shown = await page.locator(`[data-total="${id}"] p`).first().textContent();
      const expected = unit === "ratio" ? Math.round(value * 1_000) / 10 : value;
      expect(numberOf(shown!), id).toBeCloseTo(expected, 6);
    }

    const panel = page.locator('[data-panel="/api/v1/recommendations/charts/assisted-text-per-source"]');
    const chart = await api(`/api/v1/recommendations/charts/assisted-text-per-source?${RANGE}`);
    const bars = panel.locator("svg rect[class*='MuiBarChart'], svg .MuiBarChart-element, svg rect[fill]");
    expect(await bars.count()).toBeGreaterThan(20);
    await panel.getByRole("button", { name: /show as a table/ }).click();
    expect(await new Axe(page).serious()).toEqual([]);
    const rows = await panel
      .locator("tbody tr")
      .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent ?? "")));
    expect(rows.map((row) => row.slice(1).map(numberOf))).toEqual(
      chart.xAxis[0].data.map((_: string, index: number) =>
        chart.series.map(({ data }: { data: number[] }) => data[index]),
      ),
    );
    await page.context().close();
  }, 60_000);

  it("is what a ratio is made of, when one points at it", async () => {
    const { page } = await looked(`/recommendations?${RANGE}`);
    await settled(page);
    const chart = await api(`/api/v1/recommendations/charts/acceptance-rate?${RANGE}`);
    const panel = page.locator('[data-panel="/api/v1/recommendations/charts/acceptance-rate"]');
    const drawing = panel.locator("figure svg").first();
    await drawing.scrollIntoViewIfNeeded();
    const box = (await drawing.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const tooltip = page.locator(".MuiChartsTooltip-root");
    await tooltip.waitFor();
    const text = (await tooltip.textContent())!;
    const { numerator, denominator } = chart.series[0];
    const said = numerator.map(
      (of: number, index: number) => `${of.toLocaleString("en-GB")} ÷ ${denominator[index].toLocaleString("en-GB")}`,
    );
    expect(
      said.some((parts: string) => text.includes(parts)),
      text,
    ).toBe(true);
    await page.context().close();
  }, 60_000);

  it("is filtered by chips with alternatives, as the API filters", async () => {
    const { page } = await looked(`/assistants?${RANGE}`);
    await settled(page);
    await page.getByRole("button", { name: "Filter" }).click();
    const dialog = page.getByRole("dialog");
    expect(await new Axe(page).serious()).toEqual([]);
    // What is not whole says so, and stays open.
    await dialog.getByRole("button", { name: "Filter" }).click();
    expect(await dialog.getByLabel("Value").getAttribute("aria-invalid")).toBe("true");
    await dialog.getByLabel("Field").click();
    await page.getByRole("option", { name: "Assistant code" }).click();
    // What there is is suggested.
    await dialog.getByLabel("Value").fill("retu");
    await page.getByRole("option", { name: "returns-desk" }).click();
    await dialog.getByRole("button", { name: "Or" }).click();
    await dialog.getByLabel("Value").last().fill("order-status");
    await page.keyboard.press("Escape");
    await dialog.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/filter=/);
    await settled(page);
    const filter = "assistant_code:eq:returns-desk|assistant_code:eq:order-status";
    expect(new URL(page.url()).searchParams.getAll("filter")).toEqual([filter]);
    await page.getByText("assistant code is returns-desk or assistant code is order-status").waitFor();
    const runs = async () => numberOf((await page.locator('[data-total="runs"] p').first().textContent())!);
    const of = async (query: string) => (await api(`/api/v1/assistants/totals?${RANGE}${query}`)).totals[0].value;
    expect(await runs()).toBe(await of(`&filter=${encodeURIComponent(filter)}`));

    await page.goBack();
    await settled(page);
    expect(await runs()).toBe(await of(""));
    await page.goForward();
    await settled(page);
    expect(await runs()).toBe(await of(`&filter=${encodeURIComponent(filter)}`));
    await page.context().close();
  }, 90_000);

  it("is compared, split, and in the zone that is chosen; and a shared address shows the same", async () => {
    const { page } = await looked(`/recommendations?${RANGE}`);
    await settled(page);
    const choose = async (control: string, option: string) => {
      await page.getByRole("group", { name: "View" }).getByLabel(control).click();
      await page.getByRole("option", { name: option, exact: true }).click();
      await settled(page);
    };
    expect(await page.locator("path[data-earlier]").count()).toBe(0);
    await choose("Comparison", "Previous year");
    expect(await page.locator("path[data-earlier]").count()).toBeGreaterThan(2);
    await page.getByRole("button", { name: "Last 30 days" }).click();
    await page.getByRole("dialog", { name: "Date range" }).waitFor();
    expect(await new Axe(page).serious()).toEqual([]);
    await page.keyboard.press("Escape");
    await choose("Split", "Platform");
    await choose("Aggregation", "Day");
    const zone = page.getByLabel("Time zone");
    await zone.fill("New_York");
    await page.getByRole("option", { name: "America/New_York" }).click();
    await settled(page);
    const asked = new URL(page.url()).searchParams;
    expect(Object.fromEntries(asked)).toEqual({
      range: "30d",
      timezone: "America/New_York",
      aggregation_level: "day",
      compare: "previous_year",
      split_by: "platform",
    });
    const path = "/api/v1/recommendations/charts/acceptance-rate";
    const chart = await api(`${path}?${asked}`);
    const legend = page.locator(`[data-panel="${path}"]`).getByRole("list", { name: "Series" }).getByRole("button");
    expect(await legend.allTextContents()).toEqual(chart.series.map(({ label }: { label: string }) => label));

    const shared = await looked(page.url().replace(demo.url, ""));
    await settled(shared.page);
    for (const id of ["messages", "acceptance_rate"]) {
      const card = `[data-total="${id}"]`;
      expect(await shared.page.locator(card).textContent()).toBe(await page.locator(card).textContent());
    }
    expect(page.url()).not.toContain(token);
    await Promise.all([page.context().close(), shared.page.context().close()]);
  }, 120_000);

  it("begins anew where it is turned over, with another view", async () => {
    const { page } = await looked(`/traces?${RANGE}`);
    await settled(page);
    await page.getByRole("button", { name: "Older" }).click();
    await page.waitForURL(/cursor=/);
    await settled(page);
    await page.getByRole("group", { name: "View" }).getByLabel("Comparison").click();
    await page.getByRole("option", { name: "Previous year" }).click();
    await page.waitForURL(/compare=/);
    expect(page.url()).not.toContain("cursor=");
    await page.context().close();
  }, 60_000);

  it("says of totals, too, what they are not filtered by", async () => {
    const { page } = await looked(`/recommendations?${RANGE}&filter=source:eq:autocomplete`);
    await settled(page);
    const totals = page.locator('[data-panel="/api/v1/recommendations/totals"]');
    await totals.getByText("Not filtered by “source is autocomplete”: this is not told here.").waitFor();
    await page.context().close();
  }, 60_000);

  it("is all of a table in its CSV, or says how much of it", async () => {
    const { page } = await looked(`/assistants?${RANGE}`);
    await settled(page);
    const { page: turned } = await api(`/api/v1/assistants/customers?${RANGE}`);
    expect(turned.total).toBeGreaterThan(1_000);
    await page.getByRole("button", { name: "Customers: take it with you" }).click();
    await page.getByRole("menuitem", { name: "Download CSV" }).click();
    await page.getByText("Downloaded: the first 1,000 rows.").waitFor();
    await page.context().close();
  }, 60_000);

  it("can be taken along as curl and as CSV", async () => {
    const { page } = await looked(`/recommendations?${RANGE}`);
    await settled(page);
    const menu = page.getByRole("button", { name: "Assisted share: take it with you" });
    await menu.click();
    await page.getByRole("menuitem", { name: "Copy as curl" }).click();
    await page.getByText("Copied.").waitFor();
    const curl = await page.evaluate(() => navigator.clipboard.readText());
    expect(curl).toMatch(/^curl -sH "Authorization: Bearer \$TOKEN" 'http.*\/charts\/assisted-share\?.*range=30d/);
    await menu.click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: "Download CSV" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("recommendations-charts-assisted-share.csv");
    const stream = await download.createReadStream();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const lines = Buffer.concat(chunks).toString().trim().split(/\r?\n/);
    expect(lines[0]).toBe("time,assisted_share");
    expect(lines.length).toBe(31);
    await page.context().close();
  }, 60_000);

  it("draws buckets that are not over differently", async () => {
    const path = "/api/v1/assistants/charts/runs";
    const month = "range=month&aggregation_level=day&timezone=UTC";
    const { page } = await looked(`/assistants?${month}`);
    await settled(page);
    // Today is never over; shortly after midnight nothing of it is there to be drawn.
    const { meta, series, xAxis } = await api(`${path}?${month}`);
    expect(meta.partial).toEqual([xAxis[0].data.length - 1]);
    const drawn = meta.partial.flatMap((at: number) =>
      series.filter(({ data }: { data: (number | null)[] }) => data[at]),
    );
    const panel = page.locator(`[data-panel="${path}"]`);
    await panel.getByText("not over yet, or cut by the range").waitFor();
    expect(await panel.locator("rect[data-partial]:not([height='0'])").count()).toBe(drawn.length);
    await panel.getByRole("button", { name: /show as a table/ }).click();
    expect(await panel.getByText("(not whole)").count()).toBe(meta.partial.length);
    await page.context().close();
  }, 60_000);

  it("can be read point by point with the keyboard", async () => {
    const { page } = await looked(`/recommendations?${RANGE}`);
    await settled(page);
    const chart = await api(`/api/v1/recommendations/charts/acceptance-rate?${RANGE}`);
    const panel = page.locator('[data-panel="/api/v1/recommendations/charts/acceptance-rate"]');
    await panel.getByRole("button", { name: /take it with you/ }).focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    const tooltip = page.locator(".MuiChartsTooltip-root");
    await tooltip.waitFor();
    const [numerator, denominator] = [chart.series[0].numerator[1], chart.series[0].denominator[1]];
    expect(await tooltip.textContent()).toContain(
      `${numerator.toLocaleString("en-GB")} ÷ ${denominator.toLocaleString("en-GB")}`,
    );
    await page.context().close();
  }, 60_000);

  it("is without prompts for a token that may not see them", async () => {
    const secret = readFileSync(`${demo.folder}/data/jwt-secret`, "utf8").trim();
    const listed = await api(`/api/v1/assistants/traces?${RANGE}&limit=20`);
    const { trace_id } = listed.items.find((run: { spans: number }) => run.spans > 3);
    const { page } = await looked(`/traces/${trace_id}`);
    await settled(page);
    await page.getByRole("button", { name: "Other token" }).click();
    await page.getByRole("textbox", { name: "Token" }).fill(signed("demo", "assistants:read", "1h", secret));
    await page.getByRole("button", { name: "Look" }).click();
    await settled(page);
    await page.getByRole("list", { name: "Spans" }).getByRole("button").first().click();
    const details = page.getByRole("dialog", { name: "Span" });
    await details.getByText("are shown with the scope traces:read").waitFor();
    expect(await details.getByRole("heading", { name: "Attributes" }).count()).toBe(0);
    await page.context().close();
  }, 60_000);
});

describe("the story of the demo", () => {
  it("has the winner, the one that does harm and the one that cannot be believed", async () => {
    const verdicts = async (experiment: string) => {
      const { page } = await looked(`/experiments/${experiment}?${RANGE}`);
      await settled(page);
      const codes = await page
        .locator("[data-verdict]")
        .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.verdict));
      await page.context().close();
      return codes;
    };
    expect(await verdicts("suggested-replies")).toContain("ship");
    expect(await verdicts("plan-first")).toContain("stop_guardrail");
    expect(await verdicts("new-greeting")).toEqual(expect.arrayContaining(["quarantine", "broken"]));
  }, 120_000);

  it("has the regression, and what asks for attention on its first page", async () => {
    // Rules are evaluated when a minute is over.
    await vi.waitFor(
      async () => {
        const { items } = await api("/api/v1/alerts");
        expect(items.find(({ rule }: { rule: string }) => rule === "returns-desk-errors").state).toBe("firing");
      },
      { timeout: 90_000, interval: 1_000 },
    );
    const { page } = await looked(`/?${RANGE}`);
    await settled(page);
    const attention = page.getByRole("region", { name: "What asks for attention" });
    expect(await attention.getByRole("listitem").count()).toBeGreaterThan(2);
    expect(await attention.textContent()).toContain("new-greeting");
    expect(await attention.textContent()).toContain("returns-desk-errors");
    await page.getByRole("link", { name: "Assistants" }).click();
    await settled(page);
    const regressions = page.locator('[data-panel="/api/v1/assistants/regressions"]');
    expect(await regressions.locator("[data-verdict]").getAttribute("data-verdict")).toBe("regressed");
    await page.context().close();
  }, 180_000);
});

it("is there soon, in few bytes, and does not jump", async () => {
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { page } = await looked(`/?${RANGE}`);
    await page.getByRole("group", { name: "View" }).waitFor();
    times.push(await page.evaluate(() => performance.now()));
    await settled(page);
    const { bytes, shift } = await page.evaluate(async () => {
      const scripts = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
      const shifts = await new Promise<number>((resolve) => {
        new PerformanceObserver((list) => {
          const all = list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[];
          resolve(all.filter(({ hadRecentInput }) => !hadRecentInput).reduce((sum, { value }) => sum + value, 0));
        }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => resolve(0), 1_000);
      });
      return {
        bytes: scripts
          .filter(({ name }) => name.endsWith(".js"))
          .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
        shift: shifts,
      };
    });
    console.log(
      `usable after ${Math.round(times.at(-1)!)} ms, ${Math.round(bytes / 1024)} KiB of script, layout shift ${shift.toFixed(3)}`,
    );
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(350 * 1024);
    expect(shift).toBeLessThanOrEqual(0.05);
    await page.context().close();
  }
  expect(Math.min(...times)).toBeLessThanOrEqual(1_500);
}, 120_000);

it("serves its files compressed, to be kept for ever", async () => {
  const html = await (await fetch(demo.url)).text();
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)![1]!;
  const response = await fetch(demo.url + script, { headers: { "accept-encoding": "br" } });
  expect(response.headers.get("content-encoding")).toBe("br");
  expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
});

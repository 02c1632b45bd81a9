/** What the studio makes of what goes wrong: tokens, errors of every kind, slow answers, and nonsense in addresses. */
import { readFileSync } from "node:fs";
import type { Browser, Route } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Axe } from "./axe";
import { launch, open, settled } from "./browser";
import { type Program, start, token } from "./program";

const SECRET = "a-secret-of-the-tests-of-the-studio-0123456789";
const SCOPES =
  "recommendations:read assistants:read traces:read experiments:read product:read voice-agents:read alerts:read";
const QUESTION = "**/api/v1/recommendations/charts/acceptance-rate*";

let empty: Program;
let browser: Browser;

beforeAll(async () => {
  const settings = { CHARTWELL_JWT_SECRET: SECRET, CHARTWELL_ACCOUNTS: "empty" };
  [empty, browser] = await Promise.all([start(["serve"], settings), launch()]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await empty?.stop();
}, 60_000);

const signed = (scope = SCOPES, ttl = "1h") => token("empty", scope, ttl, SECRET);

/** A page of the empty account, whose token was pasted. */
async function pasted(path: string, with_ = signed()) {
  const looked = await open(browser, empty.url + path);
  await looked.page.getByRole("textbox", { name: "Token" }).fill(with_);
  await looked.page.getByRole("button", { name: "Look" }).click();
  return looked;
}

/** A problem as the API tells it. */
function problem(status: number, code: string, detail: string, headers: Record<string, string> = {}) {
  const body = {
    type: "about:blank",
    title: code,
    status,
    detail,
    code,
    instance: "/",
    request_id: `id-of-${code}`,
    errors: [],
  };
  return (route: Route) =>
    route.fulfill({ status, contentType: "application/problem+json", headers, body: JSON.stringify(body) });
}

/** A request of the document, and what is answered to it. */
function example(operation: string) {
  return JSON.parse(readFileSync(new URL(`../../openapi/examples/${operation}.json`, import.meta.url), "utf8"));
}

it("asks for a token, takes one that is pasted, and keeps it in the tab alone", async () => {
  const { page, complaints } = await open(browser, `${empty.url}/product?range=7d&timezone=UTC`);
  await page.getByRole("dialog", { name: "A token, please" }).waitFor();
  await page.getByRole("textbox", { name: "Token" }).fill("no token");
  await page.getByText("A token has three parts").waitFor();
  expect(await new Axe(page).serious()).toEqual([]);
  const pastedToken = signed();
  await page.getByRole("textbox", { name: "Token" }).fill(`Bearer ${pastedToken}\n`);
  await page.getByRole("button", { name: "Look" }).click();
  await settled(page);
  await page.reload();
  await settled(page);
  expect(page.url()).toBe(`${empty.url}/product?range=7d&timezone=UTC`);
  const kept = await page.evaluate(() => [JSON.stringify(localStorage), document.cookie]);
  expect(kept.join()).not.toContain(pastedToken);
  expect(complaints).toEqual([]);
  await page.context().close();
});

it("says of an empty account what to do next", async () => {
  for (const path of [
    "/recommendations",
    "/assistants",
    "/product",
    "/experiments",
    "/voice-agents",
    "/traces",
    "/operations",
    "/",
  ]) {
    const { page, complaints } = await pasted(path);
    await settled(page);
    if (path !== "/operations") await page.getByText("Nothing has come in yet.").first().waitFor();
    expect(complaints, path).toEqual([]);
    await page.context().close();
  }
}, 120_000);

it("asks for a new token when one has expired, and keeps the view", async () => {
  const { page } = await pasted("/recommendations?range=91d&compare=previous_year&timezone=UTC", signed(SCOPES, "1s"));
  await settled(page);
  // The server grants some seconds of leeway; a token from long ago has none.
  const expired = await expiredToken();
  await page.route("**/api/v1/**", (route) =>
    route.continue({ headers: { ...route.request().headers(), authorization: `Bearer ${expired}` } }),
  );
  await page.getByRole("button", { name: "Other token" }).waitFor();
  await page.getByRole("link", { name: "Assistants" }).click();
  const dialog = page.getByRole("dialog", { name: "The token has expired" });
  await dialog.waitFor();
  await page.unroute("**/api/v1/**");
  await page.getByRole("textbox", { name: "Token" }).fill(signed());
  await page.getByRole("button", { name: "Look" }).click();
  await settled(page);
  expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
    range: "91d",
    compare: "previous_year",
    timezone: "UTC",
  });
  expect(new URL(page.url()).pathname).toBe("/assistants");
  await page.context().close();
});

/** Signed like the program does, an hour ago for a minute. */
async function expiredToken(): Promise<string> {
  const { createHmac } = await import("node:crypto");
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const claims = { sub: "test", account: "empty", scope: SCOPES, exp: Math.floor(Date.now() / 1_000) - 3_600 };
  const content = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded(claims)}`;
  return `${content}.${createHmac("sha256", SECRET).update(content).digest("base64url")}`;
}

it("names the scope that a token lacks", async () => {
  const { page } = await pasted("/assistants", signed("recommendations:read"));
  await page.getByText("The token does not allow this").first().waitFor();
  await page.getByText("assistants:read").first().waitFor();
  await page.context().close();
});

it("waits as long as a busy server says, and asks again by itself", async () => {
  const { page } = await pasted("/operations");
  await settled(page);
  let asked = 0;
  const busy = problem(503, "engine_unavailable", "The engine does not answer.", { "retry-after": "2" });
  await page.route(QUESTION, (route) => {
    asked += 1;
    return asked === 1 ? busy(route) : route.continue();
  });
  await page.getByRole("link", { name: "Recommendations" }).click();
  const panel = page.locator('[data-panel="/api/v1/recommendations/charts/acceptance-rate"]');
  await panel.getByText("The data cannot be reached at present").waitFor();
  await panel.getByText("Request id-of-engine_unavailable").waitFor();
  expect(await panel.getByRole("button", { name: /Ask again in/ }).isDisabled()).toBe(true);
  await panel.getByText("Nothing has come in yet.").waitFor();
  expect(asked).toBe(2);
  await page.context().close();
});

it.each([
  [
    429,
    "rate_limited",
    "More than 60 requests a minute.",
    ["Too many questions at once", "Request id-of-rate_limited"],
  ],
  [500, "internal", "It did not work.", ["Something broke in the server", "Request id-of-internal"]],
  [503, "teapot_overheated", "The teapot is too hot.", ["The teapot is too hot.", "Request id-of-teapot_overheated"]],
  [
    422,
    "too_many_buckets",
    "There would be 9,000 buckets.",
    ["Too many steps for one chart", "There would be 9,000 buckets."],
  ],
])("tells %i %s in words, with the id of the request", async (status, code, detail, said) => {
  const { page, complaints } = await pasted("/operations");
  await settled(page);
  await page.route(QUESTION, problem(status, code, detail));
  await page.getByRole("link", { name: "Recommendations" }).click();
  const panel = page.locator('[data-panel="/api/v1/recommendations/charts/acceptance-rate"]');
  for (const text of said) await panel.getByText(text).waitFor();
  expect(await new Axe(page).serious()).toEqual([]);
  // Everything else on the page is there.
  await page.locator('[data-total="messages"]').waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

it("gives up asking by itself, and stays where the keyboard is", async () => {
  const { page } = await pasted("/operations");
  await settled(page);
  let asked = 0;
  await page.route(QUESTION, (route) => {
    asked += 1;
    return problem(503, "overloaded", "Too many questions.", { "retry-after": "1" })(route);
  });
  await page.getByRole("link", { name: "Recommendations" }).click();
  const panel = page.locator('[data-panel="/api/v1/recommendations/charts/acceptance-rate"]');
  await panel.getByText("The server is busy").waitFor();
  // The first time, and five times by itself.
  await vi.waitFor(() => expect(asked).toBe(6), { timeout: 20_000, interval: 200 });
  const again = panel.getByRole("button", { name: "Ask again", exact: true });
  await again.waitFor();
  await page.waitForTimeout(2_500);
  expect(asked).toBe(6);
  await again.focus();
  await page.keyboard.press("Enter");
  await vi.waitFor(() => expect(asked).toBe(7), { timeout: 5_000 });
  await panel.getByRole("button", { name: /Ask again/ }).waitFor();
  await page.context().close();
}, 60_000);

it("shows nothing of what another token may see, once it is replaced", async () => {
  const rate = example("recommendations/acceptance_rate");
  const [mine, other] = [signed(), signed("recommendations:read")];
  const { page } = await pasted("/recommendations", mine);
  await settled(page);
  await page.route(QUESTION, async (route) => {
    const isMine = route.request().headers().authorization === `Bearer ${mine}`;
    if (!isMine) await new Promise((resolve) => setTimeout(resolve, 4_000));
    return isMine ? route.fulfill({ json: rate.answer }) : route.continue();
  });
  const panel = page.locator('[data-panel="/api/v1/recommendations/charts/acceptance-rate"]');
  const choose = async (preset: string) => {
    await page.getByRole("button", { name: /Last|Today/ }).click();
    await page.getByRole("menuitem", { name: preset }).click();
  };
  await choose("Last 91 days");
  await panel.locator("figure").waitFor();
  await page.getByRole("button", { name: "Other token" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  expect(await panel.locator("figure").count()).toBe(1);
  await page.getByRole("button", { name: "Other token" }).click();
  await page.getByRole("textbox", { name: "Token" }).fill(other);
  await page.getByRole("button", { name: "Look" }).click();
  await panel.getByLabel("Loading").waitFor();
  expect(await panel.locator("figure").count()).toBe(0);
  // Nor while the range changes before the first answer has come.
  await choose("Last 7 days");
  expect(await panel.locator("figure").count()).toBe(0);
  await panel.getByText("Nothing has come in yet.").waitFor();
  await page.context().close();
}, 60_000);

it("draws zeros of what went well, and gaps where nothing is known", async () => {
  const rate = example("recommendations/acceptance_rate");
  const [series] = rate.answer.series;
  series.data = series.data.map((_: unknown, index: number) => (index === 1 ? null : 0));
  const { page, complaints } = await pasted("/operations");
  await settled(page);
  await page.route(QUESTION, (route) => route.fulfill({ json: rate.answer }));
  await page.getByRole("link", { name: "Recommendations" }).click();
  const panel = page.locator('[data-panel="/api/v1/recommendations/charts/acceptance-rate"]');
  await panel.locator("figure").waitFor();
  await panel.getByRole("button", { name: /show as a table/ }).click();
  const cells = await panel.locator("tbody tr td").allTextContents();
  expect(cells[1]).toMatch(/^–/);
  expect(cells.filter((_, index) => index !== 1).every((cell) => cell.startsWith("0.00%"))).toBe(true);
  expect(complaints).toEqual([]);
  await page.context().close();
});

it("says on the first page what of it is not known", async () => {
  const { page } = await pasted("/product");
  await settled(page);
  await page.route("**/api/v1/alerts*", problem(503, "engine_unavailable", "The engine does not answer."));
  await page.getByRole("link", { name: "Overview" }).click();
  const attention = page.getByRole("region", { name: "What asks for attention" });
  await attention.getByText("Not known. The data cannot be reached at present.").waitFor();
  expect(await attention.textContent()).not.toContain("Nothing unusual");
  await page.context().close();
});

it("has panels that break alone", async () => {
  const { page } = await pasted("/operations");
  await settled(page);
  await page.route(QUESTION, (route) => route.fulfill({ json: { meta: {}, series: "none" } }));
  await page.getByRole("link", { name: "Recommendations" }).click();
  await page.getByText("Acceptance rate cannot be drawn").waitFor();
  await page.locator('[data-panel="/api/v1/recommendations/charts/assisted-share"]').waitFor();
  await page.context().close();
});

it("says when nothing answers at all", async () => {
  const { page } = await pasted("/operations");
  await settled(page);
  await page.route(QUESTION, (route) => route.abort());
  await page.getByRole("link", { name: "Recommendations" }).click();
  await page.getByText("The server does not answer").waitFor();
  await page.context().close();
});

it("shows what will come while an answer is slow", async () => {
  const { page } = await pasted("/operations");
  await settled(page);
  await page.route(QUESTION, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await route.continue();
  });
  await page.getByRole("link", { name: "Recommendations" }).click();
  const panel = page.locator('[data-panel="/api/v1/recommendations/charts/acceptance-rate"]');
  await panel.getByLabel("Loading").waitFor();
  await panel.getByText("Nothing has come in yet.").waitFor();
  await page.context().close();
});

it("falls back where an address is nonsense, and says so", async () => {
  const { page, complaints } = await pasted(
    "/recommendations?range=fortnight&timezone=Mars/Base&filter=;;&aggregation_level=blink&split_by=shoes&metric=x",
  );
  await settled(page);
  const said = await page.getByRole("alert").first().textContent();
  for (const part of ["range=fortnight", "timezone=Mars/Base", "filter=;;", "aggregation_level=blink"])
    expect(said).toContain(part);
  await page.getByText("metric=x is not known here; shown is what is usual.").waitFor();
  await page.getByText("Not split: this cannot be told apart by shoes.").first().waitFor();
  expect(complaints).toEqual([]);
  await page.context().close();
});

it("has words for an address that has no page", async () => {
  const { page } = await pasted("/nowhere?timezone=UTC");
  await page.getByText("This address has no page.").waitFor();
  await page.getByRole("link", { name: "The overview" }).click();
  await settled(page);
  await page.context().close();
});

/** A real browser before a program. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
}

/** A page, and what it complained of. Whatever it loads from elsewhere is a complaint too. */
export interface Looked {
  page: Page;
  complaints: string[];
}

export async function open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Looked> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "Europe/Amsterdam",
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    // A refused request is told by the browser as well; what the studio makes of it is looked at where it is meant.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !/^(data|blob):/.test(request.url())) {
      complaints.push(`it loads ${request.url()}`);
    }
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && !new URL(response.url()).pathname.startsWith("/api/")) {
      complaints.push(`${response.status()} ${response.url()}`);
    }
  });
  await page.goto(url);
  return { page, complaints };
}

/** Until everything that is shown is there. */
export async function settled(page: Page): Promise<void> {
  await page.locator("h1").waitFor();
  await page.waitForFunction(
    () =>
      document.querySelector("[data-panel]") !== null &&
      document.querySelector('[aria-busy="true"], .MuiSkeleton-root') === null,
    null,
    { timeout: 60_000 },
  );
}

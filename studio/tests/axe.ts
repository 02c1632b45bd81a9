/** What axe-core finds on a page. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type axe from "axe-core";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class Axe {
  constructor(private readonly page: Page) {}

  /** Serious and critical findings, with the places. */
  async serious(): Promise<string[]> {
    // By the debugger, which the policy of the page does not bind.
    await this.page.evaluate(`${SOURCE}; void 0`);
    const { violations } = await this.page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .slice(0, 4)
            .map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary?.slice(0, 200)}`)
            .join(" | ")}`,
      );
  }
}

/** What goes wrong, as the API tells it (RFC 9457), and what people are told about it. */
import type { components } from "./generated/schema";

type Body = components["schemas"]["ProblemBody"];
type Code = components["schemas"]["Code"];

/** An answer that is a problem, or none at all. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly errors: NonNullable<Body["errors"]>;
  /** By which the log knows the request; null when nothing was answered. */
  readonly requestId: string | null;
  /** Seconds after which it makes sense to ask again; null when the server did not say. */
  readonly retryAfter: number | null;

  constructor(body: Partial<Body>, response?: Response) {
    super(body.detail ?? body.title ?? "no answer");
    this.code = body.code ?? (response ? "unknown" : "unreachable");
    this.status = body.status ?? response?.status ?? 0;
    this.detail = body.detail ?? "";
    this.errors = body.errors ?? [];
    this.requestId = body.request_id ?? response?.headers.get("x-request-id") ?? null;
    const seconds = Number(response?.headers.get("retry-after") ?? Number.NaN);
    this.retryAfter = Number.isFinite(seconds) ? Math.max(0, seconds) : null;
  }

  /** Whether the same question may be answered a little later. */
  get passes(): boolean {
    return PASSING.has(this.code);
  }
}

const PASSING = new Set([
  "unreachable",
  "rate_limited",
  "overloaded",
  "engine_unavailable",
  "query_timeout",
  "request_timeout",
]);

export interface Words {
  title: string;
  /** What to do about it. */
  remedy: string;
}

const WORDS: Partial<Record<Code | "unreachable", Words>> = {
  unreachable: {
    title: "The server does not answer",
    remedy: "Is it running, and is the network there? It is asked again by itself.",
  },
  malformed_body: {
    title: "The request could not be read",
    remedy: "Reload the page; the studio may be older than the server.",
  },
  invalid_parameter: { title: "This cannot be asked so", remedy: "Change what is named below." },
  unknown_parameter: { title: "This cannot be asked so", remedy: "Change what is named below." },
  too_many_buckets: {
    title: "Too many steps for one chart",
    remedy: "Choose a shorter range, or a coarser aggregation.",
  },
  invalid_token: { title: "The token is not accepted", remedy: "Paste another one." },
  token_expired: { title: "The token has expired", remedy: "Paste a new one; the view stays as it is." },
  insufficient_scope: {
    title: "The token does not allow this",
    remedy: "Ask whoever issues tokens for the scope that is named below.",
  },
  unknown_account: {
    title: "This server does not know the account",
    remedy: "Ask whoever runs it to add the account, or use a token of another one.",
  },
  outside_grant: {
    title: "The token does not reach this far",
    remedy: "Take the filter away that asks for more than the token grants.",
  },
  not_found: { title: "There is no such thing", remedy: "It may be older than what is kept, or of another account." },
  rate_limited: { title: "Too many questions at once", remedy: "It is asked again by itself." },
  internal: {
    title: "Something broke in the server",
    remedy: "Tell whoever runs it the id of the request: its log has the cause.",
  },
  query_too_large: { title: "Too much for one question", remedy: "Choose a shorter range, or filter more." },
  overloaded: { title: "The server is busy", remedy: "It is asked again by itself." },
  engine_unavailable: {
    title: "The data cannot be reached at present",
    remedy: "It is asked again by itself. Nothing that was sent in is lost.",
  },
  query_timeout: { title: "It took too long", remedy: "Choose a shorter range, or filter more." },
  request_timeout: { title: "It took too long", remedy: "It is asked again by itself." },
};

/** A problem in human words; a code that is not known here is told in the server's. */
export function wordsOf(problem: Problem): Words {
  const known = WORDS[problem.code as Code];
  return (
    known ?? { title: problem.detail || problem.message, remedy: "Tell whoever runs the server the id of the request." }
  );
}

/** Anything thrown, as a problem. */
export function problemOf(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem({ code: "unknown" as Code, detail: String(error) });
}

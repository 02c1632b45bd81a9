/** Questions to the API, typed by its document. */
import { QueryClient } from "@tanstack/react-query";
import createClient from "openapi-fetch";
import questions from "./generated/questions.json";
import type { components, paths } from "./generated/schema";
import { Problem } from "./problem";
import { end, token } from "./session";

export type Schemas = components["schemas"];

type Json<Operation> = Operation extends { responses: { 200: { content: { "application/json": infer Answer } } } }
  ? Answer
  : never;
/** What is answered at a path. */
export type AnswerOf<Path extends keyof paths> = paths[Path] extends { get: infer Get } ? Json<Get> : never;
/** The paths at which such an answer is given. */
export type PathTo<Answer> = {
  [Path in keyof paths]: [AnswerOf<Path>] extends [never] ? never : AnswerOf<Path> extends Answer ? Path : never;
}[keyof paths];
/** Every path of a question. */
export type Path = PathTo<object>;
export type ChartPath = PathTo<Schemas["Chart"]>;
export type TotalsPath = PathTo<Schemas["Totals"]>;
export type Tabular = { items: object[]; page: Schemas["Page"]; meta: Schemas["Meta"] };
export type TablePath = PathTo<Tabular>;
export type RowOf<P extends TablePath> = AnswerOf<P> extends { items: (infer Row)[] } ? Row : never;

export type Values = Record<string, string | string[] | undefined>;

/** A question: where it is asked, about which thing, and with which parameters. */
export interface Question<P extends Path = Path> {
  path: P;
  /** Values for `{…}` in the path. */
  of?: Record<string, string>;
  query?: Values;
}

/** What the document says of a question. */
export interface About {
  title: string;
  counts: string;
  hasCsv: boolean;
  /** So many rows are answered at once, at most; null for what has no rows. */
  mostRows: number | null;
  parameters: string[];
  /** Parameters of this question alone that take one of a few words. */
  choices: Record<string, { values: string[]; usual: string | null; says: string }>;
  splits: string[];
  fields: Field[];
}

export interface Field {
  name: string;
  kind: "text" | "number" | "time" | "path";
}

export function about(path: Path): About {
  const known = (questions as unknown as Record<string, About>)[path];
  if (!known) throw new Error(`the document has no question ${path}`);
  return known;
}

const client = createClient<paths>({ baseUrl: location.origin });
client.use({
  onRequest({ request }) {
    const current = token();
    if (current) request.headers.set("authorization", `Bearer ${current}`);
    return request;
  },
});

/** Asks; what is answered instead of an answer is thrown as a `Problem`. */
export function ask<P extends Path>(question: Question<P>, signal?: AbortSignal): Promise<AnswerOf<P>> {
  return send(question, { signal }) as Promise<AnswerOf<P>>;
}

/** The same answer as CSV. */
export function csv(question: Question): Promise<Blob> {
  return send(question, { parseAs: "blob", headers: { accept: "text/csv" } }) as Promise<Blob>;
}

async function send(
  { path, of, query }: Question,
  how: { signal?: AbortSignal; [option: string]: unknown },
): Promise<unknown> {
  const asked = token();
  let told: { data?: unknown; error?: unknown; response: Response };
  try {
    // The parameters of all paths at once are beyond what the compiler can compare.
    const get = client.GET as (path: string, how: object) => Promise<typeof told>;
    told = await get(path, { params: { path: of ?? {}, query: query ?? {} }, ...how });
  } catch (error) {
    if (how.signal?.aborted) throw error;
    throw new Problem({});
  }
  if (told.data !== undefined) return told.data;
  const problem = new Problem(typeof told.error === "object" && told.error !== null ? told.error : {}, told.response);
  // Of a token that was replaced meanwhile nothing needs to be said.
  if (problem.status === 401 && asked === token()) {
    end(problem.code === "token_expired" ? "expired" : asked ? "refused" : "missing", problem.detail);
  }
  throw problem;
}

/** The address of a question, as one would write it into a terminal. */
export function addressOf({ path, of = {}, query = {} }: Question): string {
  const named = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(of[name] ?? ""));
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of value === undefined ? [] : [value].flat()) parameters.append(name, one);
  }
  const text = parameters.toString();
  return text ? `${named}?${text}` : named;
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // A panel tells what is wrong at once, and asks again by itself after the time that the server says.
      retry: false,
      refetchOnWindowFocus: true,
      // What a browser takes for being offline says nothing of a server beside it.
      networkMode: "always",
    },
  },
});

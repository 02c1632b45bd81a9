/**
 * The view: what every page shows, as the address has it. Its parameters are those of the API, by the same names, so that
 * an address is a question.
 */
import { type Filter, readFilter, writeFilter } from "./filter";

/** The part of an address behind `?`: the values of each name. */
export type Search = Record<string, string | string[]>;

export const RANGES = {
  "24h": "Last 24 hours",
  today: "Today",
  yesterday: "Yesterday",
  "7d": "Last 7 days",
  "28d": "Last 28 days",
  "30d": "Last 30 days",
  "91d": "Last 91 days",
  month: "This month",
  last_month: "Last month",
  quarter: "This quarter",
  year: "This year",
  "6mo": "Last 6 months",
  "12mo": "Last 12 months",
} as const;
export const LEVELS = ["auto", "minute", "hour", "day", "week", "month", "quarter", "year"] as const;
export const COMPARISONS = {
  none: "No comparison",
  previous_period: "Previous period",
  previous_period_weekday: "Previous period, same weekdays",
  previous_year: "Previous year",
} as const;

export type Preset = keyof typeof RANGES;
export type Level = (typeof LEVELS)[number];
export type Comparison = keyof typeof COMPARISONS;
/** Either a preset, or days (`YYYY-MM-DD`, both included) or instants (RFC 3339, the end not included). */
export type Range = { preset: Preset } | { from: string; to: string };

export interface View {
  range: Range;
  timezone: string;
  level: Level;
  comparison: Comparison;
  filters: Filter[];
  /** Null = not split. */
  split: string | null;
}

/** The names that all pages share; what a page is filtered and split by is its own, as fields differ. */
export const SHARED = ["range", "datetime_from", "datetime_to", "timezone", "aggregation_level", "compare"];

export const DEFAULT_RANGE: Preset = "30d";

const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

function isMoment(text: string): boolean {
  return MOMENT.test(text) && !Number.isNaN(Date.parse(text)) && isDayOfCalendar(text.slice(0, 10));
}

/** `Date.parse` takes 30 February for 2 March. */
function isDayOfCalendar(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    // An offset is no IANA zone, though some browsers take it.
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

/** The zone of the person who looks. */
export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

export function all(search: Search, name: string): string[] {
  const value = search[name];
  return value === undefined ? [] : [value].flat();
}

export function one(search: Search, name: string): string | undefined {
  return all(search, name)[0];
}

/** Reads a view. What cannot be is replaced by what is usual, and told in `problems`, as sentences. */
export function readView(search: Search): { view: View; problems: string[] } {
  const problems: string[] = [];
  const chosen = <T extends string>(name: string, known: readonly T[], usual: T, shown: (one: T) => string): T => {
    const value = one(search, name);
    if (value === undefined) return usual;
    const found = known.find((one) => one === value.toLowerCase());
    if (found) return found;
    problems.push(`${name}=${brief(value)} is not known; shown is ${shown(usual)}.`);
    return usual;
  };

  const timezone = one(search, "timezone");
  const zone = timezone !== undefined && isZone(timezone) ? timezone : ownZone();
  if (timezone !== undefined && zone !== timezone) {
    problems.push(`timezone=${brief(timezone)} is no time zone; shown is ${zone}.`);
  }

  const filters: Filter[] = [];
  for (const text of all(search, "filter")) {
    const filter = readFilter(text);
    if (filter) filters.push(filter);
    else problems.push(`filter=${brief(text)} could not be read, so it is left out.`);
  }

  return {
    view: {
      range: readRange(search, problems, chosen),
      timezone: zone,
      level: chosen("aggregation_level", LEVELS, "auto", (level) => level),
      comparison: chosen("compare", Object.keys(COMPARISONS) as Comparison[], "none", () => "no comparison"),
      filters,
      split: one(search, "split_by") || null,
    },
    problems,
  };
}

function readRange(
  search: Search,
  problems: string[],
  chosen: (name: string, known: readonly Preset[], usual: Preset, shown: (one: Preset) => string) => Preset,
): Range {
  const [from, to] = [one(search, "datetime_from"), one(search, "datetime_to")];
  if (from !== undefined || to !== undefined) {
    if (from && to && isMoment(from) && isMoment(to) && Date.parse(from) <= Date.parse(to)) return { from, to };
    problems.push(
      `datetime_from=${brief(from ?? "")} to datetime_to=${brief(to ?? "")} is no range of time; shown is ${RANGES[DEFAULT_RANGE].toLowerCase()}.`,
    );
    return { preset: DEFAULT_RANGE };
  }
  const preset = chosen("range", Object.keys(RANGES) as Preset[], DEFAULT_RANGE, (range) =>
    RANGES[range].toLowerCase(),
  );
  return { preset };
}

/** Places in something that is turned over: of another view they are places in something else. */
const PLACE = /^cursor$|\.offset$/;

/** What a change of the view makes of an address; what is usual is not written. */
export function writeView(search: Search, change: Partial<View>): Search {
  const next: Search = Object.fromEntries(Object.entries(search).filter(([name]) => !PLACE.test(name)));
  const put = (name: string, value: string | string[] | undefined) => {
    if (value === undefined || value.length === 0) delete next[name];
    else next[name] = value;
  };
  if (change.range) {
    const { range } = change;
    put("range", "preset" in range ? range.preset : undefined);
    put("datetime_from", "from" in range ? range.from : undefined);
    put("datetime_to", "to" in range ? range.to : undefined);
  }
  if (change.timezone) put("timezone", change.timezone);
  if (change.level) put("aggregation_level", change.level === "auto" ? undefined : change.level);
  if (change.comparison) put("compare", change.comparison === "none" ? undefined : change.comparison);
  if (change.filters) put("filter", change.filters.map(writeFilter));
  if (change.split !== undefined) put("split_by", change.split ?? undefined);
  return next;
}

/** Sets a parameter of one panel; what is turned over there begins anew, unless it is what is set. */
export function writeParameter(search: Search, name: string, value: string | string[] | undefined): Search {
  const { [name]: _, ...next } = search;
  const panel = name.split(".").length > 1 ? `${name.split(".")[0]}.offset` : "cursor";
  if (!PLACE.test(name)) delete next[panel];
  return value === undefined || value.length === 0 ? next : { ...next, [name]: value };
}

/** The parameters of a view, as the API takes them. */
export function parametersOf(view: View): Record<string, string | string[] | undefined> {
  return {
    range: "preset" in view.range ? view.range.preset : undefined,
    datetime_from: "from" in view.range ? view.range.from : undefined,
    datetime_to: "to" in view.range ? view.range.to : undefined,
    timezone: view.timezone,
    aggregation_level: view.level,
    compare: view.comparison === "none" ? undefined : view.comparison,
    filter: view.filters.map(writeFilter),
    split_by: view.split ?? undefined,
  };
}

/** Whether the range goes on: then the same question has another answer a minute later. */
export function isOpenEnded(range: Range): boolean {
  if (!("preset" in range)) return Date.parse(range.to) > Date.now() - 86_400_000;
  return ["24h", "today", "month", "quarter", "year"].includes(range.preset);
}

export function parseSearch(text: string): Search {
  const search: Search = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = Object.hasOwn(search, name) ? search[name] : undefined;
    search[name] = before === undefined ? value : [before, value].flat();
  }
  return search;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    for (const one of value === undefined || value === null ? [] : [value].flat()) parameters.append(name, String(one));
  }
  // Signs of the grammar stay legible; none of them separates anything in a query string.
  const text = parameters.toString().replace(/%(3A|2C|7C|2F)/g, decodeURIComponent);
  return text ? `?${text}` : "";
}

function brief(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

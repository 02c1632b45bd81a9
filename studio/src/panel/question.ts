/** Which question a panel asks in a view, and which parts of the view do not apply to it. Pure. */
import type { About, Path, Question, Values } from "../api/client";
import { type Filter, sayFilter, writeFilter } from "../view/filter";
import { all, parametersOf, type Search, type View } from "../view/view";

/** A question that fits a view. */
export interface Fitted<P extends Path> {
  question: Question<P>;
  /** Sentences about parts of the view that this question does not know. */
  without: string[];
}

/** Parameters of a view that everyone would miss where they do not apply; zones and ranges are missed by nobody. */
const MISSED: Record<string, string> = { compare: "Not compared: this has no earlier value." };

/**
 * The parameters of the view that the question knows, its own `choices` from the address, and over them those that the
 * panel sets.
 */
export function questionOf<P extends Path>(
  path: P,
  about: About,
  {
    view,
    search,
    choices = [],
    of,
    own = {},
  }: {
    view: View;
    search: Search;
    /** Parameters of the question that the address may have. */
    choices?: string[];
    of?: Record<string, string>;
    own?: Values;
  },
): Fitted<P> {
  const without: string[] = [];
  const query: Values = {};
  const given = parametersOf(view);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value.length === 0 || name in own) continue;
    if (name === "filter") continue;
    if (!about.parameters.includes(name)) {
      if (name in MISSED) without.push(MISSED[name]!);
    } else if (name === "split_by" && !about.splits.includes(String(value))) {
      without.push(`Not split: this cannot be told apart by ${said(String(value))}.`);
    } else query[name] = value;
  }
  const applying = view.filters.filter((filter) => applies(filter, about));
  if (applying.length > 0 && !("filter" in own)) query.filter = applying.map(writeFilter);
  for (const filter of view.filters.filter((filter) => !applies(filter, about))) {
    without.push(`Not filtered by “${sayFilter(filter)}”: this is not told here.`);
  }
  for (const name of choices) {
    const values = all(search, name);
    const known = about.choices[name]?.values;
    if (values.length === 0) continue;
    if (known && !known.includes(values[0]!)) without.push(unknownHere(name, values[0]!));
    else query[name] = known ? values[0] : values;
  }
  return { question: { path, of, query: { ...query, ...own } }, without };
}

/** What the address says that nobody understands here. */
export function unknownHere(name: string, value: string): string {
  return `${name}=${value.length > 40 ? `${value.slice(0, 40)}…` : value} is not known here; shown is what is usual.`;
}

/** The same question about all that there is, as far as is answered at once, and not about the part that is shown. */
export function wholeOf(question: Question, { mostRows }: About): Question {
  if (mostRows === null) return question;
  return { ...question, query: { ...question.query, limit: String(mostRows), offset: undefined, cursor: undefined } };
}

/** Whether a question knows all fields of a filter. */
export function applies(filter: Filter, about: About): boolean {
  return filter.every(({ field }) =>
    about.fields.some(
      ({ name, kind }) => name === field || (kind === "path" && field.startsWith(name.replace("<path>", ""))),
    ),
  );
}

function said(name: string): string {
  return name.replaceAll("_", " ");
}

/** The grammar of `filter=`: alternatives `field:op:value[,value…]`, separated by `|`; `\` escapes `, | : \`. */

export const OPERATORS = {
  eq: "is",
  ne: "is not",
  in: "is one of",
  not_in: "is none of",
  contains: "contains",
  not_contains: "does not contain",
  starts_with: "starts with",
  gt: ">",
  gte: "≥",
  lt: "<",
  lte: "≤",
  is_null: "is unknown",
  is_not_null: "is known",
} as const;

export type Operator = keyof typeof OPERATORS;

/** What a row may be. */
export interface Alternative {
  field: string;
  operator: Operator;
  values: string[];
}

/** A row passes when it is one of these. */
export type Filter = Alternative[];

const ORDER: Operator[] = ["gt", "gte", "lt", "lte"];
const TEXT: Operator[] = ["contains", "not_contains", "starts_with"];

/** The operators that fit a kind of field. */
export function operatorsFor(kind: "text" | "number" | "time" | "path"): Operator[] {
  const all = Object.keys(OPERATORS) as Operator[];
  if (kind === "path") return all;
  const unfit = kind === "text" ? ORDER : TEXT;
  return all.filter((operator) => !unfit.includes(operator));
}

/** How many values an operator takes: none, one, or a list. */
export function valuesOf(operator: Operator): "none" | "one" | "list" {
  if (operator === "is_null" || operator === "is_not_null") return "none";
  return operator === "in" || operator === "not_in" ? "list" : "one";
}

/** Reads a filter; `null` where it is none. */
export function readFilter(text: string): Filter | null {
  const filter = split(text, "|").map(readAlternative);
  return filter.every((alternative) => alternative !== null) ? filter : null;
}

function readAlternative(text: string): Alternative | null {
  const [field, operator, ...rest] = split(text, ":");
  if (!field || !operator || !Object.hasOwn(OPERATORS, operator)) return null;
  const takes = valuesOf(operator as Operator);
  const values = rest.length === 0 ? [] : split(rest.join(":"), ",").map(unescaped);
  const fits = takes === "none" ? rest.length === 0 : takes === "one" ? values.length === 1 : values.length > 0;
  return fits ? { field: unescaped(field), operator: operator as Operator, values } : null;
}

export function writeFilter(filter: Filter): string {
  return filter
    .map(({ field, operator, values }) =>
      [escaped(field), operator, ...(valuesOf(operator) === "none" ? [] : [values.map(escaped).join(",")])].join(":"),
    )
    .join("|");
}

/** A filter as people say it. */
export function sayFilter(filter: Filter): string {
  return filter
    .map(({ field, operator, values }) =>
      [field.replaceAll("_", " "), OPERATORS[operator], values.join(", ")].join(" ").trim(),
    )
    .join(" or ");
}

/** Splits at a sign that is not escaped; the parts stay escaped. */
function split(text: string, sign: string): string[] {
  const parts = [""];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === "\\") {
      parts[parts.length - 1] += character + (text[at + 1] ?? "");
      at += 1;
    } else if (character === sign) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function escaped(text: string): string {
  return text.replace(/[\\,|:]/g, (sign) => `\\${sign}`);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, "$1");
}

/** Numbers as people read them, in the language of the browser. What is not known is a dash, never a zero. */

const LOCALE = typeof navigator === "undefined" ? "en" : navigator.language;
export const UNKNOWN = "–";

const formats = new Map<string, Intl.NumberFormat>();

function format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  let known = formats.get(key);
  if (!known) {
    known = new Intl.NumberFormat(LOCALE, options);
    formats.set(key, known);
  }
  return known;
}

/** What a number is of, as the API names it: a ratio, milliseconds, US dollars, or a count of something. */
export type Unit = "ratio" | "ms" | "usd" | (string & {});

export type Value = number | string | null | undefined;

/** A value of a unit, as exact as a person needs it. Money comes as exact text. */
export function value(of: Value, unit: Unit): string {
  switch (unit) {
    case "ratio":
      return percent(of);
    case "ms":
      return duration(of);
    case "usd":
      return money(of);
    default:
      return quantity(of);
  }
}

const quantity = writing((number) =>
  Number.isInteger(number) ? count(number) : format({ maximumSignificantDigits: 4 }).format(number),
);

/** A value of a unit in little room, as on an axis. */
export function short(of: Value, unit: Unit): string {
  const number = numberOf(of);
  if (number === null) return UNKNOWN;
  switch (unit) {
    case "ratio":
      return format({ style: "percent", maximumFractionDigits: Math.abs(number) < 0.1 ? 1 : 0 }).format(number);
    case "ms":
      return duration(number);
    case "usd":
      return format({ style: "currency", currency: "USD", notation: "compact", maximumFractionDigits: 2 }).format(
        number,
      );
    default:
      return format({ notation: "compact", maximumFractionDigits: 1 }).format(number);
  }
}

export function numberOf(of: Value): number | null {
  const number = typeof of === "string" && of !== "" ? Number(of) : of;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

/** A way to write a number, which writes what is not known as a dash. */
function writing(write: (number: number) => string): (of: Value) => string {
  return (of) => {
    const number = numberOf(of);
    return number === null ? UNKNOWN : write(number);
  };
}

export const count = writing((number) => format({ maximumFractionDigits: 0 }).format(number));

export const percent = writing((ratio) => {
  // Near nothing and near all, what is left tells most.
  const left = Math.abs(1 - ratio);
  const digits = left > 0 && left < 0.001 ? 3 : Math.abs(ratio) < 0.01 || (left > 0 && left < 0.01) ? 2 : 1;
  return format({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(ratio);
});

/** A difference of rates in percentage points, with its sign. */
export const points = writing((difference) =>
  format({ signDisplay: "exceptZero", maximumFractionDigits: 1 }).format(difference * 100),
);

/** A relative change, with its sign. */
export const change = writing((relative) =>
  format({
    style: "percent",
    signDisplay: "exceptZero",
    maximumFractionDigits: Math.abs(relative) < 0.1 ? 1 : 0,
  }).format(relative),
);

export const money = writing((dollars) => {
  const [style, currency, size] = ["currency", "USD", Math.abs(dollars)] as const;
  // Of little, what tells it from a little less.
  if (size > 0 && size < 0.01) return format({ style, currency, maximumSignificantDigits: 3 }).format(dollars);
  const digits = size >= 1_000 ? 0 : size >= 1 || size === 0 ? 2 : 4;
  return format({ style, currency, minimumFractionDigits: digits, maximumFractionDigits: digits }).format(dollars);
});

/** What calls cost of which the cost of some is known: at least that. */
export function knownMoney(dollars: Value, known: number, calls: number): { shows: string; title: string } {
  if (known >= calls) return { shows: money(dollars), title: "" };
  const title = `The cost of ${count(known)} of ${count(calls)} calls is known.`;
  return { shows: numberOf(dollars) === null ? UNKNOWN : `≥ ${money(dollars)}`, title };
}

const STEPS: [number, "day" | "hour" | "minute" | "second"][] = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1_000, "second"],
];

function amount(of: number, unit: string, digits: Intl.NumberFormatOptions = { maximumFractionDigits: 0 }): string {
  return format({ style: "unit", unit, unitDisplay: "narrow", ...digits }).format(of);
}

/** Milliseconds as a length of time: from a minute on in two units, `1m 41s`. */
export const duration = writing((ms) => {
  const size = Math.abs(ms);
  if (size < 1) return amount(ms, "millisecond", { maximumSignificantDigits: 2 });
  if (size < 1_000) return amount(ms, "millisecond", { maximumFractionDigits: size < 10 ? 2 : size < 100 ? 1 : 0 });
  if (size < 60_000) return amount(ms / 1_000, "second", { maximumFractionDigits: size < 10_000 ? 2 : 1 });
  const [step, unit] = STEPS.find(([step]) => size >= step)!;
  const [lesser, lesserUnit] = STEPS[STEPS.findIndex(([, name]) => name === unit) + 1]!;
  const rounded = Math.round(size / lesser) * lesser;
  const [whole, rest] = [Math.floor(rounded / step), Math.round((rounded % step) / lesser)];
  return (ms < 0 ? "−" : "") + amount(whole, unit) + (rest > 0 ? ` ${amount(rest, lesserUnit)}` : "");
});

export function bytes(size: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, size)) / 3)));
  return format({ style: "unit", unit: units[step]!, unitDisplay: "short", maximumFractionDigits: 1 }).format(
    size / 1000 ** step,
  );
}

/** A probability that may be too small to be written out. */
export const pValue = writing((p) => (p < 0.0001 ? "< 0.0001" : format({ maximumSignificantDigits: 2 }).format(p)));

/** From where to where something lies, written so. */
export function between(interval: readonly Value[] | null | undefined, write: (of: Value) => string): string {
  return interval ? `${write(interval[0])} to ${write(interval[1])}` : UNKNOWN;
}

/** What a rate was counted from; nothing where it is not known. */
export function parts(numerator: Value, denominator: Value): string {
  return numberOf(denominator) === null ? "" : `${count(numerator)} ÷ ${count(denominator)}`;
}

/** A rate, with what it was before where that is known. */
export function withPrevious(rate: Value, previous: Value): string {
  return percent(rate) + (numberOf(previous) === null ? "" : ` (was ${percent(previous)})`);
}

/** Names of the API as people read them. */

const WORDS: Record<string, string> = {
  id: "ID",
  ids: "IDs",
  usd: "",
  ms: "",
  utc: "UTC",
  ip: "IP",
  iban: "IBAN",
  url: "URL",
  gpt: "GPT",
  srm: "SRM",
  slo: "SLO",
};

/** `error_rate` → `Error rate`; units are told by the values. */
export function label(name: string): string {
  const words = name
    .split("_")
    .map((word) => (Object.hasOwn(WORDS, word) ? WORDS[word] : word))
    .filter(Boolean)
    .join(" ");
  // Quantiles are written small.
  if (/^p\d+\b/.test(words)) return words;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Names of the API as people read them. */

const WORDS: Record<string, string> = {
  id: "ID",
  ids: "IDs",
  usd: "",
  ms: "",
  utc: "UTC",
  p50: "p50",
  url: "URL",
  gpt: "GPT",
  srm: "SRM",
  slo: "SLO",
};

/** `error_rate` → `Error rate`; units are told by the values. */
export function label(name: string): string {
  const words = name
    .split("_")
    .map((word) => WORDS[word] ?? word)
    .filter(Boolean)
    .join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

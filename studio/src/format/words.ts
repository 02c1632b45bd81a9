/** Codes of the API in words. A code that is not known here is told as it is. */
import { label } from "./names";

const DECISIONS: Record<string, [verdict: string, severity: Severity]> = {
  ship: ["Ship it", "success"],
  continue: ["Go on", "info"],
  stop_no_effect: ["Stop: no effect that matters", "warning"],
  stop_guardrail: ["Stop: it does harm", "error"],
  quarantine: ["Do not believe it", "error"],
  pass: ["May go on", "success"],
  hold: ["Not certain yet", "info"],
  roll_back: ["Roll back", "error"],
  regressed: ["Worse", "error"],
  improved: ["Better", "success"],
  no_difference: ["No difference for certain", "info"],
  no_data: ["No data", "info"],
  too_few: ["Too few to tell", "info"],
  healthy: ["Healthy", "success"],
  warning: ["Look closer", "warning"],
  broken: ["Broken", "error"],
  ok: ["OK", "success"],
  page: ["Burns fast", "error"],
  ticket: ["Burns", "warning"],
  spent: ["Budget spent", "warning"],
  firing: ["Firing", "error"],
  pending: ["Pending", "warning"],
  recovering: ["Recovering", "warning"],
};

export type Severity = "success" | "info" | "warning" | "error";

export function verdict(code: string): { words: string; severity: Severity } {
  const [words, severity] = DECISIONS[code] ?? [label(code), "info"];
  return { words, severity };
}

const REASONS: Record<string, string> = {
  sample_ratio_mismatch: "Units did not come to the variants as planned, so that nothing can be concluded from them.",
  mismatch_of_day: "On some days units did not come to the variants as planned.",
  mismatch_of_platform: "On some platforms units did not come to the variants as planned.",
  mismatch_of_profile_code: "Of some profiles units did not come to the variants as planned.",
  empty_arm: "A variant has no units.",
  units_of_several_variants: "Too many units were exposed to several variants.",
  exposure_shift: "Other units come now than came at first.",
  late_exposures: "Exposures came in late, of some variants more than of others.",
  few_units: "There are few units yet.",
  nothing_to_compare: "There is only one variant.",
  guardrail_significantly_worse: "A guardrail is worse for certain.",
  goal_significantly_worse: "A goal is worse for certain.",
  goals_significantly_better: "The goals are better for certain.",
  effect_below_minimum: "The effect is for certain smaller than what matters.",
  sequential_interval_includes_zero:
    "It may still be no difference: the interval that holds for as many looks as one likes has 0 in it.",
  fixed_interval_includes_zero: "It may be no difference: the interval has 0 in it.",
  not_significant_after_correction: "With so many comparisons, the difference may be chance.",
  small_sample: "Some of it has too few values for its test.",
  guardrail_uncertain: "Whether a guardrail is kept is not certain yet.",
  no_data: "There are no units yet.",
  no_goal: "No goal was asked for.",
  baseline_without_data: "The baseline did nothing in this range.",
  candidate_without_data: "The candidate did nothing in this range.",
  error_rate_up: "It fails more often.",
  latency_p50_up: "It is slower at the median.",
  latency_p95_up: "It is slower at the 95th percentile.",
  first_token_p95_up: "The first token takes longer.",
  cost_up: "It costs more.",
  tokens_up: "It uses more tokens.",
  new_error_types: "It has errors that the baseline does not have.",
  error_rate_down: "It fails less often.",
  latency_p50_down: "It is faster at the median.",
  latency_p95_down: "It is faster at the 95th percentile.",
  first_token_p95_down: "The first token comes sooner.",
  cost_down: "It costs less.",
  tokens_down: "It uses fewer tokens.",
  no_significant_difference: "No difference is certain and large enough.",
  mix_shifted: "Both were used so differently that a difference may come from that.",
  empty_half: "A half of the time has no units.",
  baseline_empty: "The baseline has no units.",
  too_few_units: "There are too few units.",
  zero_variance: "All units are the same.",
  baseline_zero: "The baseline is 0, so there is no relative effect.",
  number_too_large: "A number is too large to be computed with.",
  no_events_of_goal: "There is no event of this name: is the goal right?",
  denominator_zero: "The denominator is 0.",
  holdout: "A holdout: it is not tested.",
  units_without_before: "Of some units nothing is known from before.",
};

export function reason(code: string): string {
  return REASONS[code] ?? `${label(code)}.`;
}

/** Variants beside the baseline: what they are at, how far apart, and how certain that is. */
import { Typography } from "@mui/material";
import type { Schemas } from "../api/client";
import { domainOf, Interval } from "../charts/Interval";
import { between, change, count, percent, points, pValue, type Value, value } from "../format/numbers";
import { reason } from "../format/words";
import { DataTable } from "../panel/DataTable";

type Metric = Schemas["MetricAnalysis"];
type Compared = Schemas["Compared"];

/** Of guardrails; what a goal is counted in, nobody knows. */
const UNITS: Record<string, string> = { error_rate: "ratio", slow_runs: "ratio", cost_usd: "usd" };

export function AnalysisTable({ metric }: { metric: Metric }) {
  const unit = metric.type === "conversion" ? "ratio" : (UNITS[metric.id] ?? "");
  const differences = metric.variants.map(differenceOf);
  const domain = domainOf(
    differences.map((difference) => difference?.interval),
    [0],
  );
  const isForAnyLook = metric.variants.some((variant) => comparedOf(variant)?.sequential);
  return (
    <DataTable
      caption={metric.id}
      columns={[
        { name: "Variant" },
        { name: "Units", isNumber: true },
        { name: "Value", isNumber: true },
        { name: `Difference, interval of 95 %${isForAnyLook ? ", for any number of looks" : ""}` },
        { name: "Lift", isNumber: true },
        { name: "p, adjusted", isNumber: true },
        { name: "p, any number of looks", isNumber: true },
        { name: "Chance to win", isNumber: true },
      ]}
      rows={metric.variants.map((variant, index) => {
        const compared = comparedOf(variant);
        const difference = differences[index];
        const name = difference ? said(difference, unit) : "";
        return [
          variant.variant + (compared ? "" : " (baseline)"),
          count(variant.units),
          {
            shows: (
              <Within shows={value(variant.value, unit)} interval={variant.interval} write={(of) => value(of, unit)} />
            ),
            title: `${value(variant.numerator, "")} ÷ ${value(variant.denominator, "")}`,
          },
          {
            shows: difference && (
              <>
                {name}
                <Interval {...difference} domain={domain} reference={0} name={`${variant.variant}: ${name}`} />
              </>
            ),
            title: (compared?.notes ?? []).map(reason).join(" "),
          },
          compared && (
            <Within shows={change(compared.relative?.value)} interval={compared.relative?.interval} write={change} />
          ),
          pValue(compared?.p_value_adjusted),
          pValue(compared?.sequential?.p_value_adjusted),
          percent(compared?.bayesian?.chance_to_win),
        ];
      })}
    />
  );
}

interface Difference {
  value: number;
  interval: readonly number[] | null;
}

function comparedOf(variant: Schemas["Variant"]): Compared | null {
  return "test" in variant ? (variant as Compared) : null;
}

/** With the interval by which is decided: the one that holds for as many looks as one likes, where there is one. */
function differenceOf(variant: Schemas["Variant"]): Difference | null {
  const compared = comparedOf(variant);
  if (!compared?.absolute) return null;
  const { value, interval } = compared.absolute;
  return { value, interval: compared.sequential?.absolute_interval ?? interval ?? null };
}

function said({ value: of, interval }: Difference, unit: string): string {
  return signed(of, unit) + within(interval, (bound) => signed(bound, unit));
}

interface WithinProps {
  shows: string;
  interval: readonly number[] | null | undefined;
  write: (of: Value) => string;
}

/** A value, and below it where it lies. */
function Within({ shows, interval, write }: WithinProps) {
  return (
    <>
      {shows}
      {interval && (
        <Typography variant="caption" color="textSecondary" sx={{ display: "block" }}>
          {between(interval, write)}
        </Typography>
      )}
    </>
  );
}

function within(interval: readonly number[] | null | undefined, write: (of: Value) => string): string {
  return interval ? ` (${between(interval, write)})` : "";
}

/** Of rates a difference is told in points, so that nobody takes it for a lift. */
function signed(of: Value, unit: string): string {
  return unit === "ratio" ? `${points(of)} pp` : `${Number(of) > 0 ? "+" : ""}${value(of, unit)}`;
}

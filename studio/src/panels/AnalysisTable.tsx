/** Variants beside the baseline: what they are at, how far apart, and how certain that is. */
import { Box, Table, TableBody, TableCell, TableHead, TableRow } from "@mui/material";
import type { Schemas } from "../api/client";
import { domainOf, Interval } from "../charts/Interval";
import { change, count, percent, points, pValue, UNKNOWN, value } from "../format/numbers";
import { reason } from "../format/words";

type Metric = Schemas["MetricAnalysis"];
type Compared = Schemas["Compared"];

export function AnalysisTable({ metric }: { metric: Metric }) {
  const unit = metric.type === "conversion" ? "ratio" : "";
  const differences = metric.variants.map(differenceOf);
  const domain = domainOf(
    differences.map((difference) => difference?.interval),
    [0],
  );
  const isForAnyLook = metric.variants.some((variant) => comparedOf(variant)?.sequential);
  return (
    <Box sx={{ overflowX: "auto" }} tabIndex={0} role="group" aria-label={`${metric.id}, rows`}>
      <Table size="small" aria-label={metric.id}>
        <TableHead>
          <TableRow>
            <TableCell>Variant</TableCell>
            <TableCell align="right">Units</TableCell>
            <TableCell align="right">Value</TableCell>
            <TableCell>Difference, interval of 95 %{isForAnyLook ? ", for any number of looks" : ""}</TableCell>
            <TableCell align="right">Lift</TableCell>
            <TableCell align="right">p, adjusted</TableCell>
            <TableCell align="right">p, any number of looks</TableCell>
            <TableCell align="right">Chance to win</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {metric.variants.map((variant, index) => {
            const compared = comparedOf(variant);
            const difference = differences[index];
            return (
              <TableRow key={variant.variant}>
                <TableCell component="th" scope="row">
                  {variant.variant}
                  {!compared && " (baseline)"}
                </TableCell>
                <TableCell align="right">{count(variant.units)}</TableCell>
                <TableCell
                  align="right"
                  sx={{ whiteSpace: "nowrap" }}
                  title={`${value(variant.numerator, "")} ÷ ${value(variant.denominator, "")}`}
                >
                  {value(variant.value, unit)}
                  {variant.interval && ` (${value(variant.interval[0], unit)} to ${value(variant.interval[1], unit)})`}
                </TableCell>
                <TableCell>
                  {difference && (
                    <Box
                      sx={{ display: "flex", alignItems: "center", gap: 1 }}
                      title={(compared?.notes ?? []).map(reason).join(" ")}
                    >
                      <Interval
                        {...difference}
                        domain={domain}
                        reference={0}
                        name={`${variant.variant}: ${said(difference, unit)}`}
                      />
                      <Box component="span" sx={{ whiteSpace: "nowrap" }}>
                        {said(difference, unit)}
                      </Box>
                    </Box>
                  )}
                </TableCell>
                <TableCell align="right" sx={{ whiteSpace: "nowrap" }}>
                  {compared?.relative ? change(compared.relative.value) : compared ? UNKNOWN : ""}
                  {compared?.relative?.interval &&
                    ` (${change(compared.relative.interval[0]!)} to ${change(compared.relative.interval[1]!)})`}
                </TableCell>
                <TableCell align="right">{pValue(compared?.p_value_adjusted)}</TableCell>
                <TableCell align="right">{pValue(compared?.sequential?.p_value_adjusted)}</TableCell>
                <TableCell align="right">
                  {compared?.bayesian ? percent(compared.bayesian.chance_to_win) : UNKNOWN}
                </TableCell>
              </TableRow>
            );
          })}
        </TableBody>
      </Table>
    </Box>
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
  return interval
    ? `${signed(of, unit)} (${signed(interval[0]!, unit)} to ${signed(interval[1]!, unit)})`
    : signed(of, unit);
}

/** Of rates a difference is told in points, so that nobody takes it for a lift. */
function signed(of: number, unit: string): string {
  return unit === "ratio" ? `${points(of)} pp` : `${of > 0 ? "+" : ""}${value(of, unit)}`;
}

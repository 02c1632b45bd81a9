/** The spans of a trace, each where and as long as it ran; filled is what the run waited for: its critical path. */
import ErrorOutlined from "@mui/icons-material/ErrorOutlined";
import { Box, ButtonBase, Typography, useTheme } from "@mui/material";
import { useMemo } from "react";
import type { Schemas } from "../api/client";
import { duration } from "../format/numbers";

type Span = Schemas["TraceSpan"];

interface TimelineProps {
  trace: Schemas["Trace"];
  onChoose: (span: string) => void;
}

/** Spans that are drawn; more are there as a table. */
const MOST = 400;

export function Timeline({ trace, onChoose }: TimelineProps) {
  const spans = trace.spans.slice(0, MOST);
  const length = Math.max(1e-3, trace.duration_ms);
  const ticks = useMemo(
    () => [0, 0.25, 0.5, 0.75, 1].map((part) => ({ part, text: duration(length * part) })),
    [length],
  );
  return (
    <Box>
      <Box
        aria-hidden
        sx={{ display: "flex", ml: { sm: "34%" }, justifyContent: "space-between", color: "text.secondary" }}
      >
        {ticks.map(({ part, text }) => (
          <Typography key={part} variant="caption">
            {text}
          </Typography>
        ))}
      </Box>
      <Box component="ol" aria-label="Spans" sx={{ m: 0, p: 0, listStyle: "none" }}>
        {spans.map((span) => (
          <Row key={span.span_id} span={span} length={length} onChoose={onChoose} />
        ))}
      </Box>
      {trace.spans.length > MOST && (
        <Typography variant="body2" color="textSecondary" sx={{ mt: 1 }}>
          The first {MOST} of {trace.spans.length} spans are drawn; all of them are in the table.
        </Typography>
      )}
      <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 1 }}>
        Filled: the part of the span itself that the run waited for (its critical path). Pale: what ran beside or below
        it.
      </Typography>
    </Box>
  );
}

function Row({ span, length, onChoose }: { span: Span; length: number; onChoose: (span: string) => void }) {
  const { palette } = useTheme();
  const took = span.duration_ms ?? 0;
  const [left, width] = [(span.offset_ms / length) * 100, Math.max(0.4, (took / length) * 100)];
  const waited = took > 0 ? Math.min(1, span.critical_ms / took) : 0;
  const isFailed = span.status === "ERROR" || Boolean(span.error_type);
  const colour = isFailed ? palette.error.main : palette.primary.main;
  const named = span.model ?? span.tool_name;
  return (
    <Box component="li">
      <ButtonBase
        onClick={() => onChoose(span.span_id)}
        aria-haspopup="dialog"
        aria-label={`${span.name}: began after ${duration(span.offset_ms)}, took ${span.duration_ms === null || span.duration_ms === undefined ? "an unknown time" : duration(took)}, waited for ${duration(span.critical_ms)}${isFailed ? ", failed" : ""}`}
        sx={{
          width: 1,
          display: { xs: "block", sm: "flex" },
          alignItems: "center",
          textAlign: "left",
          py: 0.25,
          borderRadius: 1,
          ":hover": { bgcolor: "action.hover" },
        }}
      >
        <Box
          sx={{
            width: { sm: "34%" },
            flexShrink: 0,
            pl: `${Math.min(span.depth, 12) * 12}px`,
            pr: 1,
            display: "flex",
            alignItems: "center",
            gap: 0.5,
            minWidth: 0,
          }}
        >
          {isFailed && <ErrorOutlined color="error" sx={{ fontSize: 16 }} />}
          <Typography variant="body2" noWrap>
            {span.name}
          </Typography>
          {named && !span.name.includes(named) && (
            <Typography variant="caption" color="textSecondary" noWrap>
              {named}
            </Typography>
          )}
        </Box>
        <Box sx={{ position: "relative", flexGrow: 1, height: 22 }}>
          <Box
            sx={{
              position: "absolute",
              top: 4,
              height: 14,
              left: `${Math.min(99.6, left)}%`,
              width: `${Math.min(100 - left, width)}%`,
              borderRadius: 0.5,
              border: `1px solid ${colour}`,
              background: `linear-gradient(to right, ${colour} ${waited * 100}%, color-mix(in srgb, ${colour} 18%, transparent) ${waited * 100}%)`,
            }}
          />
          <Typography
            variant="caption"
            sx={{
              position: "absolute",
              top: 2,
              whiteSpace: "nowrap",
              px: 0.5,
              // Beside the bar, on the side that has room.
              ...(left + width < 80
                ? { left: `${left + width}%` }
                : left > 20
                  ? { right: `${100 - left}%` }
                  : { right: 0, color: "text.primary" }),
            }}
          >
            {span.duration_ms === null || span.duration_ms === undefined ? "not ended" : duration(took)}
          </Typography>
        </Box>
      </ButtonBase>
    </Box>
  );
}

/** All that is known of a span. */
import Close from "@mui/icons-material/Close";
import { Box, Drawer, IconButton, Stack, Typography } from "@mui/material";
import type { Schemas } from "../api/client";
import { label } from "../format/names";
import { count, duration, money } from "../format/numbers";
import { moment } from "../format/times";

interface SpanDetailsProps {
  span: Schemas["TraceSpan"] | null;
  zone: string;
  onClose: () => void;
}

export function SpanDetails({ span, zone, onClose }: SpanDetailsProps) {
  return (
    <Drawer
      anchor="right"
      open={span !== null}
      onClose={onClose}
      slotProps={{ paper: { role: "dialog", "aria-label": "Span", sx: { width: { xs: 1, sm: 520 }, p: 2 } } }}
      sx={{ zIndex: (theme) => theme.zIndex.modal }}
    >
      {span && (
        <Stack spacing={2}>
          <Box sx={{ display: "flex", alignItems: "flex-start", gap: 1 }}>
            <Typography variant="h6" component="h2" sx={{ flexGrow: 1, overflowWrap: "anywhere" }}>
              {span.name}
            </Typography>
            <IconButton aria-label="Close" onClick={onClose} autoFocus>
              <Close />
            </IconButton>
          </Box>
          <Facts span={span} zone={zone} />
          <Content title="Input" text={span.input} />
          <Content title="Output" text={span.output} />
          {span.attributes === null || span.attributes === undefined ? (
            <Typography variant="body2" color="textSecondary">
              Prompts, answers and attributes are shown with the scope traces:read.
            </Typography>
          ) : (
            <Content title="Attributes" text={JSON.stringify(span.attributes, null, 2)} />
          )}
          {span.events.length > 0 && <Content title="Events" text={JSON.stringify(span.events, null, 2)} />}
          {span.links.length > 0 && <Content title="Links" text={JSON.stringify(span.links, null, 2)} />}
        </Stack>
      )}
    </Drawer>
  );
}

const LENGTHS = ["duration_ms", "self_ms", "critical_ms", "time_to_first_token_ms"] as const;
const COUNTS = ["input_tokens", "cached_input_tokens", "output_tokens"] as const;
const NAMES = [
  "operation",
  "model",
  "provider",
  "tool_name",
  "assistant_code",
  "assistant_version",
  "conversation_id",
  "status",
  "error_type",
  "status_description",
  "span_id",
  "parent_id",
] as const;

function Facts({ span, zone }: { span: Schemas["TraceSpan"]; zone: string }) {
  const facts: [string, string][] = [["Began", moment(span.start_time, zone)]];
  for (const name of LENGTHS) if (typeof span[name] === "number") facts.push([label(name), duration(span[name])]);
  for (const name of COUNTS) if (typeof span[name] === "number") facts.push([label(name), count(span[name])]);
  if (span.cost_usd) facts.push(["Cost", money(Number(span.cost_usd))]);
  for (const name of NAMES) if (span[name]) facts.push([label(name), String(span[name])]);
  return (
    <Box
      component="dl"
      sx={{ display: "grid", gridTemplateColumns: "max-content 1fr", columnGap: 2, rowGap: 0.5, m: 0 }}
    >
      {facts.map(([name, text]) => (
        <Box key={name} sx={{ display: "contents" }}>
          <Typography component="dt" variant="body2" color="textSecondary">
            {name}
          </Typography>
          <Typography component="dd" variant="body2" sx={{ m: 0, overflowWrap: "anywhere" }}>
            {text}
          </Typography>
        </Box>
      ))}
    </Box>
  );
}

function Content({ title, text }: { title: string; text: string | null | undefined }) {
  if (!text) return null;
  return (
    <Box>
      <Typography variant="subtitle2" component="h3">
        {title}
      </Typography>
      <Box
        component="pre"
        tabIndex={0}
        sx={{
          m: 0,
          p: 1,
          borderRadius: 1,
          bgcolor: "action.hover",
          fontSize: 12,
          whiteSpace: "pre-wrap",
          overflowWrap: "anywhere",
          maxHeight: 360,
          overflowY: "auto",
        }}
      >
        {pretty(text)}
      </Box>
    </Box>
  );
}

/** What is JSON is easier to read with its lines; only where nothing is lost by it, as long numbers would be. */
function pretty(text: string): string {
  try {
    const parsed = JSON.parse(text);
    return JSON.stringify(parsed) === text ? JSON.stringify(parsed, null, 2) : text;
  } catch {
    return text;
  }
}

/** The pages, in the order of the navigation. What a page can be filtered and split by is what its question can. */
import Biotech from "@mui/icons-material/Biotech";
import Dashboard from "@mui/icons-material/Dashboard";
import Insights from "@mui/icons-material/Insights";
import MonitorHeart from "@mui/icons-material/MonitorHeart";
import PhoneInTalk from "@mui/icons-material/PhoneInTalk";
import SmartToy from "@mui/icons-material/SmartToy";
import TipsAndUpdates from "@mui/icons-material/TipsAndUpdates";
import ViewTimeline from "@mui/icons-material/ViewTimeline";
import type { SvgIcon } from "@mui/material";
import { about, type ChartPath, type Path } from "../api/client";
import type { ControlsProps } from "../controls/Controls";

export interface Page {
  path: string;
  title: string;
  icon: typeof SvgIcon;
  /** The questions that have the fields and splits of the page; none = it has none. */
  of: Path[];
  /** The chart whose groups are suggested as values of filters. */
  chart?: ChartPath;
}

const ACCEPTANCE = "/api/v1/recommendations/charts/acceptance-rate";
const RUNS = "/api/v1/assistants/charts/runs";
const CALLS = "/api/v1/voice-agents/charts/calls";

export const PAGES: Page[] = [
  { path: "/", title: "Overview", icon: Dashboard, of: [RUNS, ACCEPTANCE, CALLS], chart: RUNS },
  {
    path: "/recommendations",
    title: "Recommendations",
    icon: TipsAndUpdates,
    of: [ACCEPTANCE],
    chart: ACCEPTANCE,
  },
  { path: "/assistants", title: "Assistants", icon: SmartToy, of: [RUNS], chart: RUNS },
  { path: "/traces", title: "Traces", icon: ViewTimeline, of: ["/api/v1/assistants/traces"], chart: RUNS },
  { path: "/voice-agents", title: "Voice agents", icon: PhoneInTalk, of: [CALLS], chart: CALLS },
  { path: "/experiments", title: "Experiments", icon: Biotech, of: ["/api/v1/experiments"] },
  { path: "/product", title: "Product", icon: Insights, of: ["/api/v1/product/routes"] },
  { path: "/operations", title: "Operations", icon: MonitorHeart, of: [] },
];

/** The page of an address; pages below others belong to them. */
export function pageOf(pathname: string): Page | undefined {
  return PAGES.find(({ path }) =>
    path === "/" ? pathname === "/" : pathname === path || pathname.startsWith(`${path}/`),
  );
}

export function controlsOf(page: Page | undefined): ControlsProps {
  const known = (page?.of ?? []).map(about);
  const fields = new Map(known.flatMap((question) => question.fields.map((field) => [field.name, field])));
  const splits = new Set(known.flatMap((question) => question.splits));
  return { fields: [...fields.values()], splits: [...splits], chart: page?.chart };
}

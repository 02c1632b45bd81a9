/** Instants as people read them: in the zone of the view and the language of the browser. */

const LOCALE = typeof navigator === "undefined" ? "en" : navigator.language;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions, locale = LOCALE): Intl.DateTimeFormat {
  const key = zone + locale + JSON.stringify(options);
  let known = formats.get(key);
  if (!known) {
    // Buckets are days, months and years of the API's calendar: by another one their names would be wrong.
    known = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone, calendar: "gregory" });
    formats.set(key, known);
  }
  return known;
}

/** The start of a bucket in little room, as on an axis. */
export function tick(instant: string, level: string, zone: string): string {
  const time = new Date(instant);
  switch (level) {
    case "minute":
    case "hour": {
      const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
      const isMidnight = format(zone, clock, "en").format(time) === "00:00";
      return format(zone, isMidnight ? { day: "numeric", month: "short" } : clock).format(time);
    }
    case "month":
      return format(zone, { month: "short", year: "2-digit" }).format(time);
    case "quarter":
      return `Q${quarter(time, zone)} ${year(time, zone)}`;
    case "year":
      return year(time, zone);
    default:
      return format(zone, { day: "numeric", month: "short" }).format(time);
  }
}

/** A bucket in full. */
export function bucket(instant: string, level: string, zone: string): string {
  const time = new Date(instant);
  switch (level) {
    case "minute":
    case "hour":
      return format(zone, {
        weekday: "short",
        day: "numeric",
        month: "short",
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
        // Where clocks are put back an hour comes twice.
        timeZoneName: "short",
      }).format(time);
    case "week":
      return `Week of ${format(zone, { day: "numeric", month: "long", year: "numeric" }).format(time)}`;
    case "month":
      return format(zone, { month: "long", year: "numeric" }).format(time);
    case "quarter":
    case "year":
      return tick(instant, level, zone);
    default:
      return format(zone, { weekday: "short", day: "numeric", month: "long", year: "numeric" }).format(time);
  }
}

function quarter(time: Date, zone: string): number {
  // Whatever digits people read.
  return Math.ceil(Number(format(zone, { month: "numeric" }, "en").format(time)) / 3);
}

function year(time: Date, zone: string): string {
  return format(zone, { year: "numeric" }).format(time);
}

export function moment(instant: string, zone: string): string {
  return format(zone, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(new Date(instant));
}

export function day(instant: string, zone: string): string {
  // A day of the calendar is the same in every zone.
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(instant);
  return format(isDay ? "UTC" : zone, { weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(
    new Date(instant),
  );
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** How long ago an instant was. */
export function ago(instant: string, now = Date.now()): string {
  const seconds = (now - new Date(instant).getTime()) / 1_000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS[3]!;
  return new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" }).format(-Math.round(seconds / length), unit);
}

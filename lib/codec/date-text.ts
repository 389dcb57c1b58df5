// Dates as texts of rows and command lines have them. Date.parse is not asked: it makes 1 March of 30 February, and
// reads a time without a zone in that of the machine, so that one file would have other keys elsewhere.

/** A day, and a time of it, which may have a zone. Other texts mean one thing here and another there. */
const FORM =
  /^(?<year>\d{4}|[+-]\d{6})-(?<month>\d\d)-(?<day>\d\d)(?:[T ](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d+))?)?(?<zone>Z|[+-]\d\d:?\d\d)?)?$/;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY_HOURS = 24;

/** Whether a text has the form of a date, be there such a day or not. */
export function isDateForm(text: string): boolean {
  return FORM.test(text);
}

/**
 * The date that a text stands for: a day, or a day and a time, in UTC where no zone is said. 24:00 is the beginning
 * of the next day. Undefined where the text has another form, or there is no such day or time.
 */
export function dateOfText(text: string): Date | undefined {
  const { groups } = FORM.exec(text) ?? {};
  if (groups === undefined) return undefined;
  const day = dayTime(Number(groups.year), Number(groups.month), Number(groups.day));
  const time = timeOfDay(groups.hour, groups.minute, groups.second, groups.fraction);
  const offset = zoneOffset(groups.zone);
  if (day === undefined || time === undefined || offset === undefined) return undefined;
  const date = new Date(day + time - offset);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function dayTime(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day that does not exist comes out as another one.
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? date.getTime() : undefined;
}

function timeOfDay(hour = '0', minute = '0', second = '0', fraction = '0'): number | undefined {
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)];
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const time = hours * HOUR + minutes * MINUTE + seconds * 1000 + milliseconds;
  const exists = time <= DAY_HOURS * HOUR && minutes < 60 && seconds < 60;
  return exists ? time : undefined;
}

function zoneOffset(zone = 'Z'): number | undefined {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours >= DAY_HOURS || minutes >= 60) return undefined;
  return (hours * HOUR + minutes * MINUTE) * (zone.startsWith('-') ? -1 : 1);
}

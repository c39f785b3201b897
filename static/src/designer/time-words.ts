/** Times in words: durations, repeating intervals, dates, and the usual cron expressions; others have no words. */
import { durationInWords } from './checks.js';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** A time in the notation of a timer or schedule. */
export function timeInWords(text: string): string | undefined {
  const written = text.trim();
  return durationInWords(written) ?? intervalInWords(written) ?? dateInWords(written) ?? cronInWords(written);
}

/** `R3/PT10S` is "3 times, every 10 seconds". */
function intervalInWords(text: string): string | undefined {
  const parts = /^R(\d*)\/(?:([^/]+)\/)?(P[^/]+)$/.exec(text);
  const every = parts && durationInWords(parts[3]!);
  if (!every) return undefined;
  const times = parts[1] ? `${parts[1]} time${parts[1] === '1' ? '' : 's'}, every ${every}` : `every ${every}, without end`;
  const from = parts[2] === undefined ? '' : `, from ${dateInWords(parts[2]) ?? parts[2]}`;
  return times + from;
}

function dateInWords(text: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text) || Number.isNaN(Date.parse(text))) return undefined;
  return `${new Date(text).toLocaleString()} where you are`;
}

/** A cron expression of five fields, or six with seconds first: plain numbers, lists, ranges, steps and names. */
function cronInWords(text: string): string | undefined {
  const fields = text.split(/\s+/);
  // The numbers of weekdays differ between the dialects with six fields; the next times show the meaning.
  if (fields.length !== 5) return undefined;
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const at = clock(minute, hour);
  const on = days(weekday, DAYS, 'SUN MON TUE WED THU FRI SAT'.split(' '), 0);
  const months = days(month, MONTHS, 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' '), 1);
  if (at === undefined || on === undefined || months === undefined || !/^(\*|\?|[\d,-]+)$/.test(day)) return undefined;
  const date = /^[*?]$/.test(day) ? '' : `on day ${day} of the month`;
  return [at, [date, on && `on ${on}`].filter(Boolean).join(' or '), months && `in ${months}`].filter(Boolean).join(', ');
}

function clock(minute: string, hour: string): string | undefined {
  const step = /^\*\/(\d+)$/;
  const number = /^\d+$/;
  if (minute === '*' && hour === '*') return 'every minute';
  if (step.test(minute) && hour === '*') return `every ${step.exec(minute)![1]} minutes`;
  if (number.test(minute) && hour === '*') return `every hour at minute ${minute}`;
  if (number.test(minute) && step.test(hour)) return `every ${step.exec(hour)![1]} hours at minute ${minute}`;
  if (!number.test(minute) || !/^\d+(,\d+)*$/.test(hour)) return undefined;
  return `at ${hour
    .split(',')
    .map((one) => `${one.padStart(2, '0')}:${minute.padStart(2, '0')}`)
    .join(' and ')}`;
}

/** Empty for all days, `undefined` for an unknown notation. */
function days(field: string, names: readonly string[], short: readonly string[], first: number): string | undefined {
  if (/^[*?]$/.test(field)) return '';
  const one = (text: string) => {
    const index = short.indexOf(text.toUpperCase());
    return index >= 0 ? names[index] : /^\d+$/.test(text) ? names[(Number(text) - first) % names.length] : undefined;
  };
  const parts = field.split(',').map((part) => {
    const [from, to, ...rest] = part.split('-').map(one);
    if (from === undefined || rest.length > 0 || (part.includes('-') && to === undefined)) return undefined;
    return to ? `${from} to ${to}` : from;
  });
  return parts.some((part) => part === undefined) ? undefined : parts.join(', ');
}

import type { FieldError } from '@stepwire/client';

type Say = (params: Record<string, unknown>) => string;

const FORMATS: Record<string, string> = {
  email: 'This does not look like an email address.',
  date: 'Please enter a date.',
};

const BY_CODE: Record<string, Say> = {
  required: () => 'Please fill this in.',
  type: ({ type }) => (type === 'number' || type === 'integer' ? 'Please enter a number.' : 'Please enter something else here.'),
  format: ({ format }) => FORMATS[String(format)] ?? 'Please check how this is written.',
  pattern: () => 'Please check how this is written.',
  minimum: ({ limit }) => `Please enter ${limit} or more.`,
  exclusiveMinimum: ({ limit }) => `Please enter more than ${limit}.`,
  maximum: ({ limit }) => `Please enter ${limit} or less.`,
  exclusiveMaximum: ({ limit }) => `Please enter less than ${limit}.`,
  minLength: ({ limit }) => (limit === 1 ? 'Please fill this in.' : `Please enter at least ${limit} characters.`),
  maxLength: ({ limit }) => `Please enter at most ${limit} characters.`,
};

/** The text for a customer about a field: the server's code in this page's own words, as an app would translate it. */
export function customerSentence({ code, params }: FieldError): string {
  return BY_CODE[code]?.(params) ?? 'Please check this.';
}

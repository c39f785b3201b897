/** The types of actions, with the parameters of each. */
import {
  type Check,
  isDuration,
  isJsonObject,
  isList,
  isObjectTemplate,
  isPath,
  isRequired,
  isTemplate,
  isWholeNumber,
} from './checks.js';

export interface Param {
  name: string;
  label: string;
  kind: 'text' | 'area' | 'template' | 'select' | 'flag';
  hint?: string;
  placeholder?: string;
  options?: readonly (readonly [string, string])[];
  check?: Check;
  /** The value of an absent parameter. */
  absent?: string;
  /** Whether it applies, depending on the other parameters. */
  applies?: (param: (name: string) => string) => boolean;
}

const both =
  (...checks: Check[]): Check =>
  (text) => {
    for (const check of checks) {
      const sentence = check(text);
      if (sentence) return sentence;
    }
    return undefined;
  };
const optional =
  (check: Check): Check =>
  (text) =>
    text.trim() ? check(text) : undefined;

const COPY: readonly Param[] = [
  {
    name: 'paramsToCopy',
    label: 'Params to copy',
    kind: 'text',
    placeholder: '["client"]',
    check: isList,
    hint: 'A JSON list of paths. Without it everything is copied; [] copies nothing.',
  },
  {
    name: 'withoutParams',
    label: 'Without params',
    kind: 'text',
    placeholder: '["client.email"]',
    check: isList,
    hint: 'Paths that are left out of the copy.',
  },
];
const OUTPUT: readonly Param[] = [
  {
    name: 'outputKey',
    label: 'Output key',
    kind: 'text',
    placeholder: 'credit',
    check: isPath,
    hint: 'The path in the data for the result; without it the result is dropped.',
  },
  {
    name: 'output',
    label: 'Output',
    kind: 'template',
    check: optional(isTemplate),
    hint: 'A template for the result; without it the result is all data.',
  },
];

/** The labels of the types in the action editor. */
export const TYPE_LABELS: readonly (readonly [string, string])[] = [
  ['websocketSend', 'Websocket Send Action'],
  ['saveData', 'Save Data'],
  ['appendToParent', 'Append to Parent'],
  ['businessRule', 'Business Rule'],
  ['uploadFile', 'Upload File'],
  ['httpRequest', 'HTTP Request'],
  ['startSubprocess', 'Start Subprocess'],
  ['startActivity', 'Start Activity'],
];

export const PARAMS: Record<string, readonly Param[]> = {
  websocketSend: [
    {
      name: 'messageType',
      label: 'Message type',
      kind: 'select',
      options: [
        ['default', 'Default (data)'],
        ['action', 'Action'],
      ],
      absent: 'default',
    },
    { name: 'message', label: 'Message', kind: 'template', placeholder: '{"name": "${client.firstName}"}' },
    {
      name: 'target',
      label: 'Target process',
      kind: 'select',
      options: [
        ['active', 'Active process'],
        ['parent', 'Parent process'],
      ],
      absent: 'active',
    },
  ],
  saveData: [],
  appendToParent: [
    { name: 'message', label: 'Message', kind: 'template', check: isTemplate, placeholder: '{"age": 17}' },
    {
      name: 'destination',
      label: 'Destination',
      kind: 'text',
      check: both(isRequired, isPath),
      placeholder: 'application.client',
      hint: "A path in the parent's data.",
    },
  ],
  businessRule: [
    {
      name: 'script',
      label: 'Script',
      kind: 'template',
      check: isRequired,
      placeholder: 'output.total = input.order.amount * 2;',
      hint: 'JavaScript: input is the data; members assigned to output are merged into them.',
    },
  ],
  uploadFile: [
    {
      name: 'destination',
      label: 'Destination',
      kind: 'text',
      check: both(isRequired, isPath),
      placeholder: 'documents.passport',
      hint: 'The path in the data for the reference to the file.',
    },
    { name: 'maxBytes', label: 'Largest file', kind: 'text', check: isWholeNumber, placeholder: '10485760', hint: 'In bytes.' },
    {
      name: 'types',
      label: 'Media types',
      kind: 'text',
      check: isList,
      placeholder: '["application/pdf", "image/*"]',
      hint: 'A JSON list; without it every type.',
    },
  ],
  httpRequest: [
    {
      name: 'method',
      label: 'Method',
      kind: 'select',
      options: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((name) => [name, name] as const),
      absent: 'GET',
    },
    { name: 'url', label: 'URL', kind: 'text', check: isRequired, placeholder: 'https://api.example.org/orders/${order.id}' },
    {
      name: 'headers',
      label: 'Headers',
      kind: 'template',
      check: optional(isJsonObject),
      placeholder: '{"authorization": "Bearer ${secret.API}"}',
    },
    { name: 'body', label: 'Body', kind: 'template', check: optional(isTemplate) },
    { name: 'timeout', label: 'Timeout', kind: 'text', check: isDuration, placeholder: 'PT10S' },
    { name: 'retries', label: 'Retries', kind: 'text', check: isWholeNumber, placeholder: '3' },
    { name: 'backoff', label: 'Backoff', kind: 'text', check: isDuration, placeholder: 'PT1S' },
    {
      name: 'success',
      label: 'Success',
      kind: 'text',
      check: isList,
      placeholder: '["2xx"]',
      hint: 'A JSON list of statuses that count as success.',
    },
    ...OUTPUT,
  ],
  startSubprocess: [
    {
      name: 'process',
      label: 'Process',
      kind: 'text',
      check: isRequired,
      placeholder: 'creditCheck',
      hint: 'The id of the process that is started.',
    },
    ...COPY,
    { name: 'async', label: 'Async', kind: 'flag', absent: 'true', hint: 'The action ends without waiting for the subprocess.' },
    ...OUTPUT.map((param) => ({ ...param, applies: (value: (name: string) => string) => value('async') === 'false' })),
  ],
  startActivity: [
    {
      name: 'activity',
      label: 'Activity',
      kind: 'text',
      check: isRequired,
      placeholder: 'callCustomer',
      hint: 'The id of an activity in this ad-hoc subprocess that no flow enters.',
    },
  ],
};

/** The check of a message: a data message must be an object. */
export function messageCheck(messageType: string): Check {
  return messageType === 'action' ? isTemplate : isObjectTemplate;
}

/**
 * Checks made while the user types. The server's check is complete; these report the most frequent mistakes immediately, in the
 * same words. Each returns a sentence, or `undefined`.
 */

export type Check = (text: string) => string | undefined;

const DURATION = /^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?$/;
const UNITS = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'];
const PLACEHOLDER = /\$\{([^}]*)\}/g;

const optional =
  (check: Check): Check =>
  (text) =>
    text.trim() === '' ? undefined : check(text);

export const isDuration = optional((text) =>
  DURATION.test(text.trim())
    ? undefined
    : `expected an ISO 8601 duration such as PT30S or P1DT2H, but got ${text.trim()}; correct it`,
);

/** A duration in words: `PT90S` is "90 seconds". */
export function durationInWords(text: string): string | undefined {
  const parts = text.trim().match(/^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.,]+)S)?)?$/);
  if (!parts || !DURATION.test(text.trim())) return undefined;
  const words = UNITS.map((unit, index) => [parts[index + 1], unit] as const)
    .filter(([number]) => number !== undefined)
    .map(([number, unit]) => `${number} ${unit}${number === '1' ? '' : 's'}`);
  return words.join(', ');
}

export const isWholeNumber = optional((text) =>
  /^-?\d+$/.test(text.trim()) ? undefined : `expected a whole number, but got ${text.trim()}; correct it`,
);

/** A number of tokens. */
export const isQuantity = optional((text) =>
  /^([1-9]\d?|100)$/.test(text.trim()) ? undefined : `expected a whole number of 1 to 100, but got ${text.trim()}; correct it`,
);

export const isName: Check = (text) =>
  /^[\p{L}\p{N}_.-]+$/u.test(text)
    ? undefined
    : `expected letters, digits, _ - or . only, but ${text ? `got ${text}` : 'it is empty'}; correct it`;

export const isId: Check = (text) =>
  /^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(text)
    ? undefined
    : `expected a letter first, then letters, digits, _ - or ., but ${text ? `got ${text}` : 'it is empty'}; correct it`;

export const isPath = optional((text) =>
  /^[^\s.[\]${}]+(\.[^\s.[\]${}]+)*$/.test(text.trim())
    ? undefined
    : `expected a path of members such as client.name, but got ${text.trim()}; correct it`,
);

export const isRequired: Check = (text) => (text.trim() ? undefined : 'expected a value, but it is empty; write one');

/** JSON that may contain `${path}`, within texts and in place of a value. */
export const isTemplate: Check = (text) => {
  if (!text.trim()) return 'expected a JSON message, but it is empty; write one such as {"name": "${client.name}"}';
  const open = text.lastIndexOf('${');
  if (open >= 0 && !text.slice(open).includes('}')) return 'expected } behind ${, but the placeholder is not closed; close it';
  const empty = [...text.matchAll(PLACEHOLDER)].find(([, path]) => !path?.trim());
  if (empty) return 'expected a path in ${…}, but one is empty; name what is to stand there';
  return isJson(bare(text));
};

/** A JSON template, or nothing. */
export const isJsonTemplate = optional((text) => isTemplate(text));

/** A template whose result is an object, as required for a data message. */
export const isObjectTemplate: Check = (text) => {
  const wrong = isTemplate(text);
  if (wrong) return wrong;
  const value: unknown = JSON.parse(bare(text));
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject || text.trim().startsWith('${')
    ? undefined
    : 'expected a JSON object, but it is another value; put it into { }';
};

export const isJson: Check = (text) => {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const place = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = place === undefined ? '' : ` in line ${text.slice(0, Number(place)).split('\n').length}`;
    return `expected JSON, but it cannot be read${line}: ${(error as Error).message}; correct it`;
  }
};

export const isJsonObject = optional((text) => {
  const wrong = isJson(text);
  if (wrong) return wrong;
  return /^\s*\{/.test(text) ? undefined : 'expected a JSON object, but it is another value; put it into { }';
});

export const isSchema = optional((text) => {
  const wrong = isJson(text);
  if (wrong) return wrong;
  return /^\s*(\{|true|false)/.test(text) ? undefined : 'expected a JSON Schema, an object, but it is another value; write one';
});

/** A list of texts in JSON. */
export const isList = optional((text) => {
  const wrong = isJson(text);
  if (wrong) return wrong;
  const value: unknown = JSON.parse(text);
  const isTexts = Array.isArray(value) && value.every((entry) => typeof entry === 'string');
  return isTexts ? undefined : 'expected a list of paths such as ["client", "order"], but it is another value; correct it';
});

/** Placeholders outside of texts become `null`; those within texts are part of the text. */
function bare(text: string): string {
  let result = '';
  for (let at = 0, inText = false; at < text.length; at++) {
    const letter = text[at]!;
    if (!inText && text.startsWith('${', at)) {
      const end = text.indexOf('}', at);
      result += 'null';
      at = end < 0 ? text.length : end;
      continue;
    }
    if (inText && letter === '\\') {
      result += letter + (text[++at] ?? '');
      continue;
    }
    if (letter === '"') inText = !inText;
    result += letter;
  }
  return result;
}

/** Scripts stored in this browser, by name. */
const PLACE = 'stepwire.playground';

type Scripts = Record<string, string>;

/** All scripts; none if the browser stores nothing. */
export function saved(): Scripts {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PLACE) ?? '{}');
    const entries = typeof found === 'object' && found ? Object.entries(found) : [];
    return Object.fromEntries(entries.filter(([, text]) => typeof text === 'string'));
  } catch {
    return {};
  }
}

/** Stores a script, or with `undefined` deletes it. Throws if the browser has no room for it. */
export function save(name: string, text: string | undefined): void {
  const { [name]: _before, ...others } = saved();
  localStorage.setItem(PLACE, JSON.stringify(text === undefined ? others : { ...others, [name]: text }));
}

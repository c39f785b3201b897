/** The settings of the server: every option with its effective value and its source. */
import { h } from '../dom.js';
import type { OperationsPage } from './operations.js';
import { getJson } from './rest.js';
import { box, table } from './table.js';

interface Setting {
  name: string;
  variable: string;
  description: string;
  value: string | null;
  source: 'commandLine' | 'environment' | 'file' | 'default';
  secret: boolean;
}

const SOURCES: Record<Setting['source'], string> = {
  commandLine: 'command line',
  environment: 'environment',
  file: 'file',
  default: 'default',
};

/** Without the default, which is shown as the value where it applies; what is in backquotes is code. */
const told = (description: string): (Node | string)[] => {
  const parts = description.replace(/\s*\[default: [\s\S]*\]$/, '').split('`');
  return parts.map((part, at) => (at % 2 === 0 ? part : h('code', {}, part)));
};

const value = ({ value, secret, source }: Setting): (Node | string)[] => {
  if (value !== null) return [h('code', {}, value)];
  return [h('span', { class: 'muted' }, secret && source !== 'default' ? 'set, not shown' : 'none')];
};

export function settings(): OperationsPage {
  return {
    topics: [],
    async draw() {
      const read = await getJson<{ settings: Setting[] }>('/v1/settings');
      if (!read) throw new Error('expected the server to list its options, but it refused; your role may not allow it');
      const given = read.settings.filter(({ source }) => source !== 'default').length;
      const drawn = table(
        'Options of the server',
        [
          { label: 'Option', draw: ({ name, description }: Setting) => [h('code', {}, name), h('p', { class: 'muted small' }, ...told(description))] },
          { label: 'Value', draw: value },
          { label: 'From', draw: ({ source }) => [h('span', { class: 'badge', 'data-source': source }, SOURCES[source])] },
          { label: 'Variable', draw: ({ variable }) => [h('code', { class: 'small' }, variable)] },
        ],
        [...read.settings].sort((a, b) => Number(a.source === 'default') - Number(b.source === 'default')),
        ({ name }) => name,
      );
      const how = h(
        'p',
        { class: 'muted' },
        `${given} of ${read.settings.length} are set. A flag takes precedence over a variable, a variable over the file; they apply from the start of the server. `,
        h('a', { href: '/docs/configuration' }, 'What each means'),
      );
      return [how, box('Options', '', drawn)];
    },
  };
}

/** Open incidents by cause, with a retry of many at once. */
import { h } from '../dom.js';
import { each } from './bulk.js';
import { commandButton } from './command-button.js';
import { time } from './elements-table.js';
import { namesOf, where } from './names.js';
import type { OperationsPage } from './operations.js';
import { post } from './rest.js';
import { parts } from './rest-lists.js';
import { box, instanceLink, table } from './table.js';
import { run } from './trouble.js';

interface Incident {
  instance: string;
  element: string;
  process: string;
  node: string;
  code: string;
  message: string;
  raisedAt: string;
}

/** Parts of 100 incidents that are loaded; a note gives the number of the rest. */
const PARTS = 10;
/** Lines of the list below the causes. */
const LISTED = 100;

const causeOf = ({ process, node, code, message }: Incident) => [process, node, code, message].join('\n');

export function incidents(): OperationsPage {
  const told = h('div', { role: 'status', 'data-testid': 'bulk-told' });
  return {
    topics: ['incidents'],
    async draw(look) {
      const { rows, more } = await parts<Incident>('/v1/incidents', 'incidents', PARTS);
      const names = await namesOf(rows.map(({ process }) => process));
      const causes = new Map<string, Incident[]>();
      for (const row of rows) causes.set(causeOf(row), [...(causes.get(causeOf(row)) ?? []), row]);
      const send = (command: 'retry' | 'skip', { instance, element }: Incident) => post(`/v1/instances/${instance}/${command}`, { element });
      const all = (command: 'retry' | 'skip', found: readonly Incident[]) => async () => {
        if (command === 'skip' && !confirm(`Skip ${found.length}? The failed work is not done.`)) return;
        const failedAgain = async () => {
          const { rows } = await parts<Incident>('/v1/incidents', 'incidents', PARTS);
          const open = new Set(rows.map(({ element }) => element));
          return found.filter(({ element }) => open.has(element)).length;
        };
        if (command === 'retry') await each(told, found, (one) => send(command, one), 'Retry', failedAgain);
        else await each(told, found, (one) => send(command, one), 'Skip');
        await look();
      };
      const groups = [...causes.values()].sort((a, b) => b.length - a.length);
      const byCause = table(
        'Causes of incidents, the most frequent first',
        [
          { label: 'Cause', draw: ([one]: Incident[]) => [h('code', {}, one!.code), h('p', {}, one!.message)] },
          { label: 'Where', draw: ([one]) => where(names, one!.process, one!.node) },
          { label: 'Count', draw: (found) => [h('span', { class: 'badge', 'data-status': 'incident', 'data-testid': 'count' }, String(found.length))] },
          { label: 'Newest', draw: ([one]) => [time(one!.raisedAt)] },
          {
            label: 'Commands',
            draw: (found) => [
              commandButton({ label: 'Retry all', about: found[0]!.code, focus: `${causeOf(found[0]!)}/retry`, run: () => run(all('retry', found)()) }),
              commandButton({ label: 'Skip all', about: found[0]!.code, focus: `${causeOf(found[0]!)}/skip`, kind: 'danger', run: () => run(all('skip', found)()) }),
            ],
          },
        ],
        groups,
        (found) => `${found[0]!.process}/${found[0]!.node}/${found[0]!.code}`,
      );
      const listed = table(
        'Incidents, newest first',
        [
          { label: 'Instance', draw: (one: Incident) => [instanceLink(one.instance)] },
          { label: 'Where', draw: ({ process, node }) => where(names, process, node) },
          { label: 'What', draw: ({ code, message }) => [h('code', {}, code), ` ${message}`] },
          { label: 'Raised', draw: ({ raisedAt }) => [time(raisedAt)] },
          {
            label: 'Commands',
            draw: (one) => [commandButton({ label: 'Retry', about: one.node, focus: `${one.element}/retry`, run: () => run(send('retry', one).then(look)) })],
          },
        ],
        rows.slice(0, LISTED),
        ({ element }) => element,
      );
      const note = more ? [h('p', { class: 'body muted' }, `The newest ${rows.length} are read; there are older ones.`)] : [];
      return [
        told,
        box('By cause', 'No incident is open.', groups.length > 0 ? byCause : undefined, ...note),
        ...(rows.length > 0 ? [box('Newest', '', listed)] : []),
      ];
    },
  };
}

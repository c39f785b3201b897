/** Running, blocked and started instances, for all processes and for each; and where the time of one process is spent. */
import { h } from '../dom.js';
import type { HeatMap, Version } from './heat-map.js';
import type { OperationsPage } from './operations.js';
import { getJson } from './rest.js';
import { box, table } from './table.js';

interface Overview {
  running: number;
  stuck: number;
  incidents: number;
  startedLastHour: number;
  startedLastDay: number;
  processes: { process: string; name: string; running: number; stuck: number }[];
}

/**
 * The drawing is loaded after the numbers, as it is the larger part of the page. It starts with the newest version of each process.
 */
async function heatMap(first: string | undefined): Promise<HeatMap | undefined> {
  const read = await getJson<{ definitions: Version[] }>('/v1/definitions');
  const published = read?.definitions.filter(({ state }) => state !== 'draft') ?? [];
  // By id and version: the newest is the last.
  const newest = new Map(published.map((one) => [one.id, one]));
  if (newest.size === 0) return undefined;
  const { HeatMap } = await import('./heat-map.js');
  const older = published.filter((one) => newest.get(one.id) !== one).reverse();
  return new HeatMap([...newest.values(), ...older].sort((a, b) => Number(b.id === first) - Number(a.id === first)));
}

export function dashboard(): OperationsPage {
  let heat: HeatMap | undefined;
  let asked = false;
  return {
    topics: ['instances', 'incidents', 'definitions'],
    async draw(look) {
      const overview = await getJson<Overview>('/v1/overview');
      if (!overview) throw new Error('expected the server to list running instances, but it refused; your role may not allow it');
      const tile = (name: string, label: string, value: number, href: string, bad = false) =>
        h(
          'a',
          { class: bad && value > 0 ? 'tile bad' : 'tile', href, 'data-testid': name, 'data-focus': `tiles/${name}` },
          h('strong', {}, value.toLocaleString()),
          h('span', {}, label),
        );
      const tiles = h(
        'div',
        { class: 'tiles' },
        tile('running', 'running', overview.running, '/admin/instances?status=started'),
        tile('stuck', 'stuck', overview.stuck, '/admin/operations/incidents', true),
        tile('open-incidents', 'open incidents', overview.incidents, '/admin/operations/incidents', true),
        tile('hour', 'started in the last hour', overview.startedLastHour, '/admin/instances'),
        tile('day', 'started in the last 24 hours', overview.startedLastDay, '/admin/instances'),
      );
      const link = (process: string, text: string) =>
        h('a', { href: `/admin/instances?process=${encodeURIComponent(process)}`, 'data-focus': `${process}/open` }, text);
      const byProcess = table(
        'Processes that run',
        [
          { label: 'Process', draw: ({ process, name }: Overview['processes'][number]) => [link(process, name || process), ' ', h('code', { class: 'muted' }, process)] },
          { label: 'Running', draw: ({ running }) => [running.toLocaleString()] },
          { label: 'Stuck', draw: ({ stuck }) => [stuck > 0 ? h('span', { class: 'badge', 'data-status': 'incident' }, String(stuck)) : '0'] },
        ],
        overview.processes,
        ({ process }) => process,
      );
      if (!asked) {
        asked = true;
        void heatMap(overview.processes[0]?.process).then((made) => {
          heat = made;
          return heat && look();
        });
      } else heat?.look();
      const more = heat ? [heat.root] : [];
      return [tiles, box('By process', 'No instance is running. Start one, for example in the demo.', overview.processes.length > 0 ? byProcess : undefined), ...more];
    },
  };
}

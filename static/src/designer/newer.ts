/** What is said when somebody else has saved a version meanwhile: with each choice, neither work is lost. */
import type { Version } from '../admin/definitions.js';
import { complain, tell, type Way } from './notes.js';

const address = ({ id, version }: Version) => `/admin/designer/${encodeURIComponent(id)}?version=${version}`;

function waysOut(newest: Version, mine: () => void): Way[] {
  return [
    { label: `See version ${newest.version} in another window`, run: () => open(address(newest), '_blank') },
    { label: `Continue with mine, as version ${newest.version + 1}`, run: mine },
  ];
}

/** A save was refused because of a newer version. */
export function complainOfNewer(newest: Version, mine: () => void): void {
  const { version, createdBy } = newest;
  complain(
    `Not saved: version ${version} was saved by ${createdBy} meanwhile. Your work is kept in this browser, and the other work stays version ${version}.`,
    waysOut(newest, mine),
  );
}

/** There is a newer version while the user draws. */
export function tellOfNewer(newest: Version, mine: () => void): void {
  tell(`Version ${newest.version} was saved by ${newest.createdBy} while you draw. Your changes are kept.`, waysOut(newest, mine));
}

/** There is a newer version than the one that the user looks at. */
export function offerNewer(newest: Version, seen: number): void {
  tell(`Version ${newest.version} was saved by ${newest.createdBy} meanwhile; you see version ${seen}.`, [
    { label: `Open version ${newest.version}`, run: () => location.assign(address(newest)) },
  ]);
}

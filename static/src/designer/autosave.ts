/**
 * The draft in this browser: kept after every change until the server has saved it, so that neither a crash nor a restart of the
 * server loses changes. A draft belongs to a user and a process, or to a new process of a user.
 *
 * **A draft with errors stays in the browser**: every version on the server can be run, and a save names the version on which it is
 * based.
 */

export interface Draft {
  xml: string;
  /** The newest version on the server when the draft was begun, 0 for none. */
  base: number;
  /** When it was stored, in milliseconds. */
  at: number;
}

const PREFIX = 'stepwire-draft';

export class Autosave {
  private key: string;

  constructor(
    private readonly user: string,
    process: string,
  ) {
    this.key = this.keyOf(process);
  }

  private keyOf(process: string): string {
    return JSON.stringify([PREFIX, this.user, process]);
  }

  /** The stored draft; `undefined` if it cannot be read. */
  read(): Draft | undefined {
    try {
      const draft = JSON.parse(localStorage.getItem(this.key) ?? 'null') as Draft | null;
      return draft && typeof draft.xml === 'string' ? draft : undefined;
    } catch {
      return undefined;
    }
  }

  /** Stores a draft; gives whether there was room for it. */
  keep(draft: Draft): boolean {
    try {
      localStorage.setItem(this.key, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  drop(): void {
    localStorage.removeItem(this.key);
  }

  /** The process has its own id from now on. */
  move(process: string): void {
    this.drop();
    this.key = this.keyOf(process);
  }

  /** Calls `changed` when another window stores a draft of the same process. */
  watch(changed: () => void): void {
    addEventListener('storage', ({ key, newValue }) => key === this.key && newValue !== null && changed());
  }
}

/**
 * The drafts in this browser: kept after every change until the server has saved it, so that neither a crash nor a restart of the
 * server loses changes. A draft belongs to a user and a process, or to a new process of a user.
 *
 * **Each window keeps a draft of its own**, so that neither dropping nor saving in one window loses what another one draws. A window
 * that opens the draft of a former one continues it; if that one is open, too, and changes it, this window goes on in a new draft.
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

/** A draft as it is stored. */
export interface StoredDraft extends Draft {
  key: string;
}

const PREFIX = 'stepwire-draft';

/** What the browser stores, or `otherwise` where it stores nothing or something else. */
function stored<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

export class Autosave {
  private key: string;
  /** What is stored under the key, as far as this window knows. */
  private kept: string | undefined;

  constructor(
    private readonly user: string,
    private process: string,
  ) {
    this.key = this.freshKey();
  }

  private freshKey(): string {
    const random = crypto.getRandomValues(new Uint32Array(2));
    return JSON.stringify([PREFIX, this.user, this.process, [...random].map((part) => part.toString(36)).join('')]);
  }

  /** Whether this is the key of a draft of the same process. */
  private isOfProcess(key: string): boolean {
    return key.startsWith(JSON.stringify([PREFIX, this.user, this.process]).slice(0, -1));
  }

  /** The stored drafts of the process, the newest first, without those that cannot be read. */
  all(): StoredDraft[] {
    const keys = stored(() => Object.keys(localStorage), []).filter((key) => this.isOfProcess(key));
    const read = (key: string) => stored(() => JSON.parse(localStorage.getItem(key) ?? 'null') as Draft | null, null);
    const drafts = keys.map((key) => ({ ...read(key), key }));
    return drafts.filter((draft): draft is StoredDraft => typeof draft.xml === 'string').sort((a, b) => b.at - a.at);
  }

  /** This window continues a stored draft. */
  adopt({ key, xml }: StoredDraft): void {
    this.key = key;
    this.kept = xml;
  }

  /** Stores a draft; gives whether there was room for it. */
  keep(draft: Draft): boolean {
    // Written without a change, it would look to another window like one.
    if (draft.xml === this.kept) return true;
    try {
      localStorage.setItem(this.key, JSON.stringify(draft));
      this.kept = draft.xml;
      return true;
    } catch {
      return false;
    }
  }

  drop(): void {
    localStorage.removeItem(this.key);
    this.kept = undefined;
  }

  /** The drawing is that of another process from now on; the draft of the former one is dropped. */
  move(process: string): void {
    this.drop();
    this.process = process;
    this.key = this.freshKey();
  }

  /**
   * Calls `taken` when another window changes or drops the draft of this one, which has to be kept again then, and `beside` when
   * another window stores a draft of the same process, the first time.
   */
  watch(taken: () => void, beside: () => void): void {
    let told = false;
    addEventListener('storage', ({ key, newValue }) => {
      if (key === null || !this.isOfProcess(key)) return;
      const isOwn = key === this.key;
      if (isOwn) {
        if (newValue !== null) this.key = this.freshKey();
        this.kept = undefined;
        taken();
      }
      if (newValue === null || told) return;
      told = true;
      beside();
    });
  }
}

/**
 * The designer: opens a version, a template or a file, keeps the draft in this browser, and saves, publishes and exports it. The
 * canvas is `modeler.ts`, the fields `panel.ts`, the server's check `problems.ts`.
 */
import {
  change,
  deploy,
  type Deployed,
  download,
  loaded,
  processIds,
  Refused,
  saveText,
  source,
  textOf,
  type Version,
  versions,
} from '../admin/definitions.js';
import { importTrouble } from '../admin/problem-list.js';
import { byId, h } from '../dom.js';
import { Autosave, type StoredDraft } from './autosave.js';
import { CompareView } from './compare-view.js';
import { acceptDrops, chooseFile, modelOf, whyNotOpen } from './files.js';
import { giveFreshIds } from './fresh-ids.js';
import { firstDeployed } from './global-tasks.js';
import { fit, LEGIBLE, MARGIN, PALETTE, zoom } from './fit.js';
import { shortcuts } from './keyboard.js';
import { sayWhenLarge, TOO_LARGE, toCheck } from './large.js';
import { createDrawing, type Drawing } from './modeler.js';
import { Model } from './model.js';
import { complainOfNewer, offerNewer, tellOfNewer } from './newer.js';
import { clearNews, clearTrouble, complain, complainOf, saved, tell, tellOfDrawing, type Way } from './notes.js';
import { Panel } from './panel.js';
import { Problems } from './problems.js';
import { type Tool, Toolbar } from './toolbar.js';
import type { TrialPanel } from './trial/trial-panel.js';
import type { Canvas, CommandStack, EventBus } from './types.js';
import { Written, written } from './written.js';

const [KEEP_MS, CHECK_MS] = [400, 700];
/** The interval of checking for versions saved by others, which are not pushed. */
const LOOK_MS = 30_000;
/** Drafts of other windows that are offered at once. */
const OFFERED = 3;
/** The template of a new process that begins with a file. */
const OF_FILE = 'blank';

export class Designer {
  private readonly mayEdit: boolean;
  private readonly drawing: Drawing;
  private readonly model: Model;
  private readonly panel: Panel;
  private readonly problems: Problems;
  private readonly comparison: CompareView;
  private readonly toolbar: Toolbar;
  private readonly autosave: Autosave;
  private readonly written = new Written(() => written(this.drawing));
  /** The process and version on the server; version 0 for a new process. */
  private process: string;
  private version: number;
  /** The newest known version of the file's first process. */
  private base: number;
  private state: string;
  private isDirty = false;
  /** Counts what is drawn and typed: an answer to a save is about what was there when it was sent. */
  private edits = 0;
  private saving = Promise.resolve();
  private isLoading = true;
  private keeping = 0;
  private told = 0;
  private trial: TrialPanel | undefined;

  constructor(private readonly root: HTMLElement) {
    const { process = '', version, newest, mayEdit, kinds = '', events = '', user = '', template: from = '' } = root.dataset;
    this.mayEdit = mayEdit === 'true';
    this.process = process;
    this.version = Number(version);
    this.base = Number(newest);
    this.state = byId('state').dataset.status ?? '';
    this.drawing = createDrawing(byId('canvas'), this.mayEdit, new Set([...kinds.split(' '), ...events.split(' ')]));
    this.model = new Model(this.drawing);
    this.panel = new Panel(byId('properties'), this.model, this.mayEdit);
    this.problems = new Problems(byId('problems'), this.model, this.panel, async () => toCheck(await this.xml()));
    this.comparison = new CompareView(this.model, this.panel, () => this.xml());
    this.toolbar = new Toolbar(byId('tools'), this.tools(), (error, label) => complainOf(error, label));
    this.autosave = new Autosave(user, process || `new/${from}`);
    this.follow();
    void this.open();
  }

  private tools(): Tool[] {
    const look: Tool[] = [
      { name: 'fit', label: 'Fit', run: () => this.fit() },
      { name: 'zoom-out', label: '−', says: 'Zoom out', run: () => zoom(this.model, -1) },
      { name: 'zoom-in', label: '+', says: 'Zoom in', run: () => zoom(this.model, 1) },
      { name: 'compare', label: 'Compare', run: () => this.comparison.ask(this.process, this.isDirty ? 0 : this.version) },
      { name: 'export', label: 'Export BPMN', run: () => this.exportBpmn() },
      { name: 'export-json', label: 'Export JSON', run: () => this.exportJson() },
    ];
    if (!this.mayEdit) return look;
    return [
      { name: 'save', label: 'Save draft', look: 'primary', keys: 'Ctrl+S', run: () => this.save(false) },
      { name: 'publish', label: 'Publish', run: () => this.save(true) },
      { name: 'try', label: 'Try it', run: () => this.tryIt() },
      { name: 'check', label: 'Check', run: () => this.checkNow() },
      { name: 'undo', label: 'Undo', keys: 'Ctrl+Z', run: () => this.step('undo') },
      { name: 'redo', label: 'Redo', keys: 'Ctrl+Y', run: () => this.step('redo') },
      { name: 'import', label: 'Import', run: () => chooseFile((file) => this.importFrom(file)) },
      ...look,
    ];
  }

  private follow(): void {
    const bus = this.model.service<EventBus>('eventBus');
    bus.on('import.done', () => this.written.stale());
    bus.on('commandStack.changed', () => (this.written.stale(), this.isLoading || this.changed()));
    // Input that is not in the model yet must not be lost either.
    byId('properties').addEventListener('input', ({ target }) => {
      if (!this.mayEdit || (target as HTMLElement).dataset.field === undefined) return;
      this.edits++;
      this.markDirty();
    });
    addEventListener('beforeunload', (event) => {
      this.keepNow();
      if (this.isDirty) event.preventDefault();
    });
    addEventListener('pagehide', () => this.keepNow());
    document.addEventListener('visibilitychange', () => (document.hidden ? this.keepNow() : void this.look()));
    if (this.mayEdit) shortcuts(byId('canvas'), { save: () => void this.save(false), step: (way) => this.step(way) });
    acceptDrops((file) => this.mayEdit && this.importFrom(file));
    new ResizeObserver(() => this.model.service<Canvas>('canvas').resized()).observe(byId('canvas'));
    const beside = 'This process is changed in another window of this browser, too: each window keeps its own changes.';
    this.autosave.watch(() => void this.keep(), () => tell(beside));
    if (this.mayEdit) setInterval(() => void this.look(), LOOK_MS);
  }

  // Opening.

  private async open(): Promise<void> {
    try {
      const xml = await this.read();
      const drafts = this.mayEdit ? this.autosave.all().filter((one) => one.xml !== xml) : [];
      // Who asks for a version is to see that version.
      const draft = new URLSearchParams(location.search).has('version') ? undefined : drafts.shift();
      if (draft) await this.restore(draft, xml, drafts);
      else {
        await this.load(xml);
        if (drafts.length > 0)
          tell(`You see version ${this.version} as it was saved. Changes of yours are kept in this browser.`, this.offers(drafts, xml));
      }
      if (this.mayEdit) {
        this.panel.processIds = await processIds();
        if (!this.process && !draft) this.giveIds();
        this.panel.draw();
        await this.followFirst();
        await this.look();
      }
      this.panel.showAddressed(location.hash);
    } catch (error) {
      this.isLoading = false;
      complain(`This process cannot be drawn: ${(error as Error).message}`);
    }
  }

  private async read(): Promise<string> {
    const { format, template: from = '' } = this.root.dataset;
    if (!this.process) return (await loaded(import('./templates.js'))).template(from);
    const text = await source(this.process, this.version, format === 'json' ? 'json' : 'bpmn');
    return modelOf(text);
  }

  /** Continues a draft; `xml` is what the server has, and `others` are further drafts. */
  private async restore(draft: StoredDraft, xml: string, others: readonly StoredDraft[]): Promise<void> {
    await this.keep();
    this.autosave.adopt(draft);
    try {
      await this.load(draft.xml);
    } catch {
      this.autosave.drop();
      return this.load(xml);
    }
    const newest = this.base;
    if (draft.base < newest) this.base = draft.base;
    this.markDirty();
    const drop = async () => {
      this.autosave.drop();
      this.base = newest;
      await this.load(xml);
      this.clean('Your changes are dropped.');
    };
    tell(
      `Your changes from ${new Date(draft.at).toLocaleString()} were kept in this browser and are open again; they are not saved yet.`,
      [{ label: 'Drop them', run: drop }, ...this.offers(others, xml)],
    );
  }

  private offers(drafts: readonly StoredDraft[], xml: string): Way[] {
    return drafts.slice(0, OFFERED).map((draft) => ({
      label: `Open your changes from ${new Date(draft.at).toLocaleString()}`,
      run: () => this.restore(draft, xml, drafts.filter((one) => one !== draft)),
    }));
  }

  /** Draws a model; one without a diagram is laid out. */
  private async load(xml: string): Promise<void> {
    this.isLoading = true;
    try {
      const isDrawn = /<(\w+:)?BPMNShape\b/.test(xml);
      await sayWhenLarge(xml);
      const left: { message: string }[] = [];
      const { warnings } = await this.drawing.importXML(isDrawn ? xml : await (await loaded(import('./layout.js'))).withDiagram(xml, left));
      left.push(...(warnings as unknown as Error[]));
      tellOfDrawing(isDrawn, left);
      this.fit(LEGIBLE);
    } finally {
      this.isLoading = false;
      saved('');
    }
    this.showState();
    if (this.mayEdit) this.problems.later(0);
    else
      byId('problems').replaceChildren(
        h('p', { class: 'empty' }, 'You have read access. Changing and checking a process needs the role designer.'),
      );
  }

  /** The ids of a new process are not a change that is undone. */
  private giveIds(): void {
    this.isLoading = true;
    giveFreshIds(this.model, this.panel.processIds);
    this.model.service<CommandStack>('commandStack').clear();
    this.isLoading = false;
  }

  /** A file may contain several processes: a save is compared with the version of the first one. */
  private async followFirst(): Promise<void> {
    const first = this.firstProcess();
    if (first === this.process) return;
    this.panel.processIds = await processIds();
    this.base = this.panel.processIds.includes(first) ? ((await this.newest(first))?.version ?? 0) : 0;
  }

  private firstProcess(): string {
    return firstDeployed(this.model);
  }

  private async newest(id: string): Promise<Version | undefined> {
    return (await versions(id))?.at(-1);
  }

  // Changing.

  private changed(): void {
    this.edits++;
    this.trial?.modelChanged();
    this.comparison.modelChanged();
    this.markDirty();
    this.showState();
    this.problems.later(this.written.pause(CHECK_MS));
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => void this.keep(), this.written.pause(KEEP_MS));
  }

  private markDirty(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.showState();
  }

  private clean(sentence: string): void {
    clearTimeout(this.keeping);
    this.isDirty = false;
    this.showState();
    saved(sentence);
  }

  /** The server has what was there at `edits`; what was drawn while it answered stays a draft. */
  private async settled(sentence: string, edits: number): Promise<void> {
    if (edits === this.edits) return this.clean(sentence);
    this.showState();
    await this.keep();
    saved(`${sentence} What you changed meanwhile is not saved yet.`);
  }

  private async keep(): Promise<void> {
    if (!this.mayEdit || !this.isDirty) return;
    const draft = { xml: await this.xml(false), base: this.base, at: Date.now() };
    if (!this.isDirty) return;
    if (this.autosave.keep(draft)) saved(`Kept in this browser at ${new Date().toLocaleTimeString()}; not saved yet.`);
    else saved('Not saved, and this browser has no space to keep it: save the draft, or export it as a file.');
  }

  /** Before the page is left: pending input belongs to the draft, too. */
  private keepNow(): void {
    if (!this.mayEdit || !this.isDirty) return;
    this.panel.pending.flush();
    clearTimeout(this.keeping);
    void this.keep();
  }

  /** The model as BPMN, with pending input unless that may wait. */
  private xml(flush = true): Promise<string> {
    if (flush) this.panel.pending.flush();
    return this.written.get();
  }

  private step(way: 'undo' | 'redo'): void {
    this.panel.pending.flush();
    const stack = this.model.service<CommandStack>('commandStack');
    if (way === 'undo' ? stack.canUndo() : stack.canRedo()) stack[way]();
  }

  private fit(smallest = 0): void {
    fit(this.model.service<Canvas>('canvas'), this.mayEdit ? PALETTE : MARGIN, smallest);
  }

  private showState(): void {
    const badge = byId('state');
    badge.dataset.status = this.state;
    badge.textContent = `${this.state}${this.version ? ` v${this.version}` : ''}${this.isDirty ? ', changed' : ''}`;
    const [first] = this.model.processes();
    byId('name').textContent = first?.name ?? first?.id ?? 'New process';
    document.title = `${byId('name').textContent} · Designer · Stepwire`;
    if (!this.mayEdit) return;
    const stack = this.model.service<CommandStack>('commandStack');
    this.toolbar.enable('undo', stack.canUndo());
    this.toolbar.enable('redo', stack.canRedo());
  }

  // Saving.

  /** A save waits for the one before, on whose version it is based. */
  private save(publish: boolean): Promise<void> {
    this.saving = this.saving.then(() => this.saveNow(publish));
    return this.saving;
  }

  private async saveNow(publish: boolean): Promise<void> {
    clearTrouble();
    if (this.hasRejected('saved')) return;
    const { edits } = this;
    try {
      if (!this.isDirty && this.version > 0) await this.unchanged(publish, edits);
      else await this.accepted(await deploy(await this.xml(), 'bpmn', { publish, base: this.base }), publish, edits);
    } catch (error) {
      this.refused(error as Error, publish);
    }
  }

  /** Whether a field holds what the model did not take: then the model is not what the user sees. */
  private hasRejected(what: string): boolean {
    this.panel.pending.flush();
    const rejected = this.panel.focusRejected();
    if (rejected) complain(`Not ${what}: ${rejected}.`);
    return rejected !== undefined;
  }

  /** The drawn model is a version already; any different byte would make it another one. */
  private async unchanged(publish: boolean, edits: number): Promise<void> {
    if (!publish) return saved(`Nothing has changed since version ${this.version}.`);
    await change(this.process, this.version, 'publish');
    this.state = 'published';
    await this.settled(`Published: new instances run version ${this.version}.`, edits);
  }

  private async accepted({ definitions, ...first }: Deployed, publish: boolean, edits: number): Promise<void> {
    const all = definitions ?? [first];
    const own = all.find(({ id }) => id === this.process) ?? first;
    this.autosave.move(own.id);
    if (own.id !== this.process || this.root.dataset.version !== String(own.version)) {
      history.replaceState(
        null,
        '',
        `/admin/designer/${encodeURIComponent(own.id)}${own.id === 'new' ? `?version=${own.version}` : ''}`,
      );
    }
    this.process = own.id;
    this.version = own.version;
    this.base = first.version;
    this.state = own.state;
    this.problems.show(all.flatMap(({ problems }) => problems));
    clearNews();
    await this.settled(publish ? `Published: new instances run version ${own.version}.` : `Saved as version ${own.version}.`, edits);
  }

  private refused(error: Error, publish: boolean): void {
    this.keepNow();
    const { status, problems, message } = error instanceof Refused ? error : new Refused(-1, '', error.message);
    const kept = 'What you drew is kept in this browser.';
    if (problems.length > 0) {
      this.problems.show(problems);
      return complain(`Not saved: ${message.replace(": see 'problems'", ', which are listed below')}. ${kept}`);
    }
    if (status === 409) return void this.conflict(message, publish);
    if (status === 413) return complain(TOO_LARGE, [{ label: 'Export BPMN', run: () => void this.exportBpmn() }]);
    return complainOf(error, 'Not saved', kept);
  }

  private async conflict(message: string, publish: boolean): Promise<void> {
    const newest = await this.newest(this.firstProcess()).catch(() => undefined);
    if (!newest || newest.version <= this.base) return complain(`Not saved: ${message}.`);
    complainOfNewer(newest, () => {
      this.base = newest.version;
      void this.save(publish);
    });
  }

  /** Whether somebody has saved another version; reported once for each. */
  private async look(): Promise<void> {
    const id = this.firstProcess();
    if (document.hidden || !this.mayEdit || !id || (this.base === 0 && this.version === 0)) return;
    const newest = await this.newest(id).catch(() => undefined);
    if (!newest || newest.version <= this.base || newest.version <= this.told) return;
    this.told = newest.version;
    if (this.isDirty) tellOfNewer(newest, () => (this.base = newest.version));
    else offerNewer(newest, this.version);
  }

  private async checkNow(): Promise<void> {
    const found = await this.problems.now();
    if (found?.length === 0) saved('Checked: no problems.');
    byId('problems').scrollIntoView({ block: 'nearest' });
  }

  // Trying.

  private async tryIt(): Promise<void> {
    clearTrouble();
    const isToOpen = this.root.dataset.trying !== 'true';
    if (isToOpen && this.hasRejected('tried')) return;
    const { TrialPanel } = await loaded(import('./trial/trial-panel.js'));
    const isOpen = this.showTrial(isToOpen);
    this.trial ??= new TrialPanel(byId('trial'), {
      model: this.model,
      xml: () => this.xml(),
      problems: (found) => this.problems.show(found),
      failed: (error) => complainOf(error, 'Try it'),
      save: saveText,
      closed: () => this.showTrial(false),
    });
    if (isOpen && !this.trial.isRunning) await this.trial.begin();
  }

  /** The trial replaces the properties, and continues while these are shown again. */
  private showTrial(isOpen: boolean): boolean {
    this.root.dataset.trying = String(isOpen);
    byId('trial').hidden = !isOpen;
    byId('properties').hidden = isOpen;
    return isOpen;
  }

  // Files.

  private importFrom(file: File): void {
    this.importFile(file).catch((error: Error) => {
      const { reason, list } = importTrouble(error);
      complain(`${file.name} was not imported: ${reason}`, [], list);
    });
  }

  private async importFile(file: File): Promise<void> {
    clearTrouble();
    if (this.isDirty && !confirm('Replace the drawing by the file? Unsaved changes are lost.')) return;
    const text = await textOf(file);
    const former = await this.xml();
    try {
      await this.load(await modelOf(text));
    } catch (error) {
      const reason = await whyNotOpen(text, error as Error);
      await this.load(former);
      throw reason;
    }
    if (!this.model.processes().some(({ id }) => id === this.process)) this.becomeNew();
    await this.followFirst();
    this.changed();
    saved(`${file.name} is open; it is not saved yet.`);
  }

  /** The file of another process is a document of its own, as if it had been opened from the list of processes. */
  private becomeNew(): void {
    if (!this.process) return;
    this.autosave.move(`new/${OF_FILE}`);
    this.process = '';
    this.version = this.base = 0;
    this.state = 'new';
    history.replaceState(null, '', `/admin/designer/new?template=${OF_FILE}`);
  }

  private async exportBpmn(): Promise<void> {
    if (this.hasRejected('exported')) return;
    download(this.firstProcess() || 'process', await this.xml(), 'bpmn');
  }

  /** The JSON form comes from the server, for a version that it has. */
  private async exportJson(): Promise<void> {
    if (this.isDirty || this.version === 0) return complain('The JSON form is made of a saved version: save the draft first.');
    download(`${this.process}-v${this.version}`, await source(this.process, this.version, 'json'), 'json');
  }
}

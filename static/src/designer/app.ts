/**
 * The designer: opens a version, a template or a file, keeps the draft in this browser, and saves, publishes and exports it. The
 * canvas is `modeler.ts`, the fields `panel.ts`, the server's check `problems.ts`.
 */
import {
  change,
  check,
  deploy,
  type Deployed,
  download,
  formatOf,
  processIds,
  Refused,
  saveText,
  source,
  type Version,
  versions,
} from '../admin/definitions.js';
import { problemList } from '../admin/problem-list.js';
import { byId, h } from '../dom.js';
import { Autosave, type Draft } from './autosave.js';
import { CompareView } from './compare-view.js';
import { firstDeployed } from './global-tasks.js';
import { fit, LEGIBLE, MARGIN, PALETTE, zoom } from './fit.js';
import { sayWhenLarge, TOO_LARGE, toCheck } from './large.js';
import { createDrawing, type Drawing } from './modeler.js';
import { Model } from './model.js';
import { clearNews, clearTrouble, complain, saved, tell, tellOfDrawing, type Way } from './notes.js';
import { Panel } from './panel.js';
import { Problems } from './problems.js';
import { type Tool, Toolbar } from './toolbar.js';
import type { TrialPanel } from './trial/trial-panel.js';
import type { Canvas, CommandStack, EventBus } from './types.js';
import { Written, written } from './written.js';

const [KEEP_MS, CHECK_MS] = [400, 700];
/** The interval of checking for versions saved by others, which are not pushed. */
const LOOK_MS = 30_000;

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
    this.toolbar = new Toolbar(byId('tools'), this.tools());
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
      { name: 'import', label: 'Import', run: () => this.chooseFile() },
      ...look,
    ];
  }

  private follow(): void {
    const bus = this.model.service<EventBus>('eventBus');
    bus.on('import.done', () => this.written.stale());
    bus.on('commandStack.changed', () => (this.written.stale(), this.isLoading || this.changed()));
    // Input that is not in the model yet must not be lost either.
    byId('properties').addEventListener('input', ({ target }) => {
      if (this.mayEdit && (target as HTMLElement).dataset.field !== undefined) this.markDirty();
    });
    addEventListener('beforeunload', (event) => {
      this.keepNow();
      if (this.isDirty) event.preventDefault();
    });
    addEventListener('pagehide', () => this.keepNow());
    document.addEventListener('visibilitychange', () => (document.hidden ? this.keepNow() : void this.look()));
    document.addEventListener('keydown', (event) => this.key(event));
    document.addEventListener('dragover', (event) => event.dataTransfer?.types.includes('Files') && event.preventDefault());
    document.addEventListener('drop', (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      if (this.mayEdit) void this.importFile(file);
    });
    new ResizeObserver(() => this.model.service<Canvas>('canvas').resized()).observe(byId('canvas'));
    this.autosave.watch(() =>
      tell('This process is open in another window of this browser, too: the last change in either window is kept.'),
    );
    if (this.mayEdit) setInterval(() => void this.look(), LOOK_MS);
  }

  private key(event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || !this.mayEdit) return;
    const letter = event.key.toLowerCase();
    if (letter === 's') {
      event.preventDefault();
      return void this.save(false);
    }
    const inText = (event.target as HTMLElement).matches('input, textarea, select, [contenteditable]');
    if (inText || event.defaultPrevented || byId('canvas').contains(event.target as Node)) return;
    if (letter === 'z' || letter === 'y') {
      event.preventDefault();
      this.step(letter === 'y' || event.shiftKey ? 'redo' : 'undo');
    }
  }

  // Opening.

  private async open(): Promise<void> {
    try {
      const xml = await this.read();
      const draft = this.mayEdit ? this.autosave.read() : undefined;
      if (draft && draft.xml !== xml) await this.restore(draft, xml);
      else await this.load(xml);
      if (this.mayEdit) {
        this.panel.processIds = await processIds();
        if (!this.process && !draft) this.giveFreshIds();
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
    if (!this.process) return (await import('./templates.js')).template(from);
    const text = await source(this.process, this.version, format === 'json' ? 'json' : 'bpmn');
    return format === 'json' ? (await import('./json-form.js')).bpmnOf(text) : text;
  }

  private async restore(draft: Draft, xml: string): Promise<void> {
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
      [{ label: 'Drop them', run: drop }],
    );
  }

  /** Draws a model; one without a diagram is laid out. */
  private async load(xml: string): Promise<void> {
    this.isLoading = true;
    try {
      const isDrawn = /<(\w+:)?BPMNShape\b/.test(xml);
      await sayWhenLarge(xml);
      const left: { message: string }[] = [];
      const { warnings } = await this.drawing.importXML(isDrawn ? xml : await (await import('./layout.js')).withDiagram(xml, left));
      left.push(...(warnings as unknown as Error[]));
      tellOfDrawing(isDrawn, left);
      this.fit(LEGIBLE);
    } finally {
      this.isLoading = false;
    }
    this.showState();
    if (this.mayEdit) this.problems.later(0);
    else
      byId('problems').replaceChildren(
        h('p', { class: 'empty' }, 'You have read access. Changing and checking a process needs the role designer.'),
      );
  }

  /** A new process must not have the id of an existing one. */
  private giveFreshIds(): void {
    const taken = new Set(this.panel.processIds);
    this.isLoading = true;
    for (const process of this.model.processes()) {
      const former = process.id ?? '';
      if (!taken.has(former)) continue;
      let number = 2;
      while (taken.has(`${former}${number}`)) number++;
      const id = `${former}${number}`;
      const owner = this.model.elements().find(({ businessObject }) => businessObject === process) ?? this.model.root;
      this.model.rename(owner, process, id);
      const calls = this.model.elements().filter(({ type }) => type === 'bpmn:CallActivity');
      for (const call of calls.filter(({ businessObject }) => businessObject.get('calledElement') === former)) {
        this.model.set(call, call.businessObject, { calledElement: id });
      }
    }
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
    this.trial?.modelChanged();
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

  private async save(publish: boolean): Promise<void> {
    clearTrouble();
    this.panel.pending.flush();
    try {
      if (!this.isDirty && this.version > 0) await this.unchanged(publish);
      else this.accepted(await deploy(await this.xml(), 'bpmn', { publish, base: this.base }), publish);
    } catch (error) {
      this.refused(error as Error, publish);
    }
  }

  /** The drawn model is a version already; any different byte would make it another one. */
  private async unchanged(publish: boolean): Promise<void> {
    if (!publish) return saved(`Nothing has changed since version ${this.version}.`);
    await change(this.process, this.version, 'publish');
    this.state = 'published';
    this.clean(`Published: new instances run version ${this.version}.`);
  }

  private accepted({ definitions, ...first }: Deployed, publish: boolean): void {
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
    this.clean(publish ? `Published: new instances run version ${own.version}.` : `Saved as version ${own.version}.`);
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
    if (status === 401) {
      const url = `/sign-in?to=${encodeURIComponent(location.pathname)}`;
      return complain(`Not saved: you are signed out. ${kept}`, [{ label: 'Sign in again', run: () => open(url, '_blank') }]);
    }
    if (status === 413) return complain(TOO_LARGE, [{ label: 'Export BPMN', run: () => void this.exportBpmn() }]);
    return complain(`Not saved: ${message}. ${kept}`);
  }

  /** Somebody has saved another version meanwhile: with either choice, neither work is lost. */
  private async conflict(message: string, publish: boolean): Promise<void> {
    const newest = await this.newest(this.firstProcess()).catch(() => undefined);
    if (!newest || newest.version <= this.base) return complain(`Not saved: ${message}.`);
    complain(
      `Not saved: version ${newest.version} was saved by ${newest.createdBy} meanwhile. Your work is kept in this browser, and the other work stays version ${newest.version}.`,
      this.waysOut(newest, () => void this.save(publish)),
    );
  }

  private waysOut(newest: Version, mine: () => void): Way[] {
    const { id, version } = newest;
    return [
      {
        label: `See version ${version} in another window`,
        run: () => open(`/admin/designer/${encodeURIComponent(id)}?version=${version}`, '_blank'),
      },
      {
        label: `Continue with mine, as version ${version + 1}`,
        run: () => {
          this.base = version;
          mine();
        },
      },
    ];
  }

  /** Whether somebody has saved another version; reported once for each. */
  private async look(): Promise<void> {
    const id = this.firstProcess();
    if (document.hidden || !this.mayEdit || !id || (this.base === 0 && this.version === 0)) return;
    const newest = await this.newest(id).catch(() => undefined);
    if (!newest || newest.version <= this.base || newest.version <= this.told) return;
    this.told = newest.version;
    if (this.isDirty) {
      return tell(
        `Version ${newest.version} was saved by ${newest.createdBy} while you draw. Your changes are kept.`,
        this.waysOut(newest, () => undefined),
      );
    }
    tell(`Version ${newest.version} was saved by ${newest.createdBy} meanwhile; you see version ${this.version}.`, [
      {
        label: `Open version ${newest.version}`,
        run: () => location.assign(`/admin/designer/${encodeURIComponent(id)}?version=${newest.version}`),
      },
    ]);
  }

  private async checkNow(): Promise<void> {
    const found = await this.problems.now();
    if (found.length === 0) saved('Checked: no problems.');
    byId('problems').scrollIntoView({ block: 'nearest' });
  }

  // Trying.

  private async tryIt(): Promise<void> {
    clearTrouble();
    const { TrialPanel } = await import('./trial/trial-panel.js');
    const isOpen = this.showTrial(this.root.dataset.trying !== 'true');
    this.trial ??= new TrialPanel(byId('trial'), {
      model: this.model,
      xml: () => this.xml(),
      problems: (found) => this.problems.show(found),
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

  private chooseFile(): void {
    const input = h('input', { type: 'file', accept: '.bpmn,.xml,.json' });
    input.addEventListener('change', () => input.files?.[0] && void this.importFile(input.files[0]));
    input.click();
  }

  private async importFile(file: File): Promise<void> {
    clearTrouble();
    if (this.isDirty && !confirm('Replace the drawing by the file? Unsaved changes are lost.')) return;
    const text = await file.text();
    const format = formatOf(text);
    const former = await this.xml();
    try {
      await this.load(format === 'json' ? await (await import('./json-form.js')).bpmnOf(text) : text);
    } catch (error) {
      const found = await check(text, format).catch(() => []);
      await this.load(former);
      return complain(`${file.name} cannot be opened: ${(error as Error).message}`, [], problemList(found));
    }
    await this.followFirst();
    this.changed();
    saved(`${file.name} is open; it is not saved yet.`);
  }

  private async exportBpmn(): Promise<void> {
    download(this.firstProcess() || 'process', await this.xml(), 'bpmn');
  }

  /** The JSON form comes from the server, for a version that it has. */
  private async exportJson(): Promise<void> {
    if (this.isDirty || this.version === 0) return complain('The JSON form is made of a saved version: save the draft first.');
    try {
      download(`${this.process}-v${this.version}`, await source(this.process, this.version, 'json'), 'json');
    } catch (error) {
      complain((error as Error).message);
    }
  }
}

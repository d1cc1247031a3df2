// What the panel shows, and what has just been said in it.
import { VDomModel } from '@jupyterlab/ui-components';
import * as api from './api';

export const WORDS: Record<api.CheckState, string> = {
  passed: 'passed',
  wrong: 'not yet',
  error: 'stopped with an error',
  blank: 'still blank'
};

/** How long after a message the server is asked, so that several messages at once are one question. */
const PAUSE = 100;

export class LabsModel extends VDomModel {
  /** What the server said last; null until it has. */
  state: api.IState | null = null;
  /** What a screen reader is told when it changes. */
  said = '';
  /** Whether that is also to be seen, because nothing else in the panel shows it. */
  shown = false;
  /** What went wrong last; empty when nothing did. */
  trouble = '';
  /** The path of the notebook in front. */
  current = '';
  /** Names of the labs that are unfolded. */
  unfolded = new Set<string>();
  /** Names of the labs that have once been in front. */
  met = new Set<string>();
  /** Whether something that the learner asked for is being done. */
  busy = false;

  private _timer = 0;
  private _asked = 0;
  private _lost = false;

  /** The lab whose notebook is in front, if it is one's. */
  get here(): api.ILab | undefined {
    return this._labs.find(
      lab => lab.path !== null && lab.path === this.current
    );
  }

  /** Unfold the lab in front when it is there for the first time; one folded by hand stays so. */
  meet(): void {
    const name = this.here?.name;
    if (name !== undefined && !this.met.has(name)) {
      this.met.add(name);
      this.unfolded.add(name);
      this.stateChanged.emit();
    }
  }

  lab(name: string): api.ILab | undefined {
    return this._labs.find(lab => lab.name === name);
  }

  private get _labs(): api.ILab[] {
    return this.state?.modules.flatMap(module => module.labs) ?? [];
  }

  say(sentence: string, shown = false): void {
    this.said = sentence;
    this.shown = shown;
    this.trouble = '';
    this.stateChanged.emit();
  }

  complain(error: unknown): void {
    this.trouble = error instanceof Error ? error.message : String(error);
    this.stateChanged.emit();
  }

  /** Ask the server soon: something has happened that it knows of. */
  soon(): void {
    window.clearTimeout(this._timer);
    this._timer = window.setTimeout(() => void this.refresh(), PAUSE);
  }

  /** Ask the server now, and tell what has changed. */
  async refresh(): Promise<void> {
    const asked = ++this._asked;
    let state: api.IState;
    try {
      state = await api.state();
    } catch (error) {
      this._lost = true;
      this.complain(error);
      return;
    }
    if (asked !== this._asked) {
      return; // a later question is on its way, with a later answer
    }
    const before = this.state;
    if (this._lost) {
      this._lost = false;
      this.trouble = '';
    }
    this.state = state;
    const news = before ? changes(before, state) : [];
    if (news.length) {
      this.said = news.join(' ');
      this.shown = false;
      this.trouble = '';
    }
    this.stateChanged.emit();
  }

  /** Do something that the learner asked for: one thing at a time, its failure told in its sentence. */
  async attempt(work: () => Promise<void>): Promise<void> {
    if (this.busy) {
      return;
    }
    this.busy = true;
    this.trouble = '';
    this.stateChanged.emit();
    try {
      await work();
    } catch (error) {
      this.complain(error);
    } finally {
      this.busy = false;
      this.stateChanged.emit();
    }
    await this.refresh();
  }
}

function changes(before: api.IState, after: api.IState): string[] {
  const told: string[] = [];
  const old = new Map(
    before.modules.flatMap(m => m.labs).map(lab => [lab.name, lab])
  );
  for (const lab of after.modules.flatMap(module => module.labs)) {
    const rows = old.get(lab.name)?.exercises ?? [];
    for (const now of lab.exercises) {
      const then = rows.find(row => row.exercise === now.exercise);
      if (then && (then.state !== now.state || then.tries !== now.tries)) {
        const count = `${lab.passed} of ${lab.exercises.length}`;
        told.push(
          `${now.exercise}: ${WORDS[now.state]}. ${count} passed in ${lab.title}.`
        );
      }
    }
  }
  return told;
}

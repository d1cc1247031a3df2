// Make forms of the questions in the prose of a lab. The prose works without: whatever does not look as the metadata
// of its cell says, because the learner has rewritten it for instance, is left as it is.
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import * as api from './api';
import { Form, IKept } from './form';
import { IQuestion, Value } from './judge';
import { LabsModel } from './model';

type Cell = NotebookPanel['content']['widgets'][number];

export class Questions {
  /** Answers of this page that the server has not taken, and what stands in forms, by lab and question. */
  private _kept = new Map<string, IKept>();
  private _forms = new Map<Form, string>();
  private _asked = new WeakMap<Cell, IQuestion[]>();

  constructor(
    private _model: LabsModel,
    notebooks: INotebookTracker
  ) {
    notebooks.forEach(panel => this._attach(panel));
    notebooks.widgetAdded.connect((_, panel) => this._attach(panel));
    _model.stateChanged.connect(() => this._sync());
  }

  private _attach(panel: NotebookPanel): void {
    const look = () => this._look(panel);
    // A cell is rendered again whenever it was edited, and comes and goes as one scrolls.
    const watcher = new MutationObserver(look);
    watcher.observe(panel.content.node, { childList: true, subtree: true });
    panel.disposed.connect(() => watcher.disconnect());
    void panel.context.ready.then(look);
  }

  private _look(panel: NotebookPanel): void {
    const lab = panel.content.model?.getMetadata('labs')?.name;
    if (typeof lab !== 'string') {
      return;
    }
    for (const cell of panel.content.widgets) {
      for (const question of this._questions(cell)) {
        this._make(cell, question, lab);
      }
    }
    for (const form of this._forms.keys()) {
      if (!form.node.isConnected) {
        this._forms.delete(form);
      }
    }
  }

  private _questions(cell: Cell): IQuestion[] {
    let found = this._asked.get(cell);
    if (!found) {
      const asked = cell.model.type === 'markdown' && cell.model.getMetadata('labs')?.questions;
      found = Array.isArray(asked) ? asked : [];
      this._asked.set(cell, found);
    }
    return found;
  }

  private _make(cell: Cell, question: IQuestion, lab: string): void {
    const all = [...cell.node.querySelectorAll<HTMLDetailsElement>('.jp-MarkdownOutput details')];
    const choices = question.kind === 'one' || question.kind === 'several';
    const count = choices ? question.options!.length : 1;
    const folds = all.slice(question.place, question.place + count);
    const before = folds[0]?.previousElementSibling ?? null;
    if (!folds.length || before?.classList.contains('tfl-question')) {
      return;
    }
    const list = question.kind === 'order' ? before : null;
    const names = choices ? question.options! : [question.kind === 'number' ? 'The number' : 'The order'];
    if (!same(folds.map(fold => fold.querySelector('summary')), names)) {
      return;
    }
    if (question.kind === 'order' && !same([...(list?.children ?? [])], question.options!)) {
      return;
    }
    const key = `${lab} ${question.id}`;
    const form = new Form(
      question,
      folds,
      list,
      value => void this._answer(lab, question, value),
      draft => this._kept.set(key, { ...this._kept.get(key), draft })
    );
    form.show(this._now(key));
    folds[0].before(form.node);
    this._forms.set(form, key);
  }

  /** Remember an answer. What cannot be remembered on the disk is, as long as the page lives. */
  private async _answer(lab: string, question: IQuestion, value: Value): Promise<void> {
    const key = `${lab} ${question.id}`;
    this._kept.set(key, { value });
    try {
      const told = await api.answer(lab, question.id, value);
      const answers = this._model.lab(lab)?.answers;
      if (answers) {
        answers[question.id] = told;
      }
      if (this._kept.get(key)?.value === value) {
        this._kept.delete(key);
      }
      this._model.soon();
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      this._kept.set(key, { ...this._kept.get(key), trouble });
      this._sync();
    }
  }

  private _now(key: string): IKept {
    const place = key.indexOf(' ');
    const told = this._model.lab(key.slice(0, place))?.answers[key.slice(place + 1)];
    return { value: told?.value, ...this._kept.get(key) };
  }

  private _sync(): void {
    this._forms.forEach((key, form) => form.show(this._now(key)));
  }
}

/** Whether the elements read as `texts` do. */
function same(elements: (Element | null)[], texts: string[]): boolean {
  const plain = (text: string) => text.replace(/\s+/g, ' ').trim();
  return (
    elements.length === texts.length &&
    elements.every((one, place) => plain(one?.textContent ?? '') === plain(texts[place]))
  );
}
